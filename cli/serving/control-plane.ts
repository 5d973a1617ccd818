import { Channel, type ChannelInterface, credentials } from '@grpc/grpc-js';

import { connectConsul, type ControlPlane, discoveryChannelOptions } from '#discovery';
import { type Log, systemClock, systemRandom } from '#kit';

import type { Resolved } from '../settings.ts';

/** Connects to Consul, or to the stand-in that speaks its protocol. CONTROL_PLANE_UNAVAILABLE when nobody answers. */
export function connectControlPlane({ values }: Resolved, log: Log): Promise<ControlPlane> {
  return connectConsul({
    address: values.CONSUL_HTTP_ADDR,
    token: values.CONSUL_HTTP_TOKEN,
    zone: values.MESH_ZONE,
    clock: systemClock,
    random: systemRandom,
    log,
  });
}

/** A channel that finds a service's instances through the control plane. */
export function openChannel(controlPlane: ControlPlane, service: string): ChannelInterface {
  return new Channel(`consul:///${service}`, credentials.createInsecure(), discoveryChannelOptions(controlPlane));
}
