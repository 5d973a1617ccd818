import { Channel, type ChannelInterface, credentials } from '@grpc/grpc-js';

import { connectConsul, type ControlPlane, discoveryChannelOptions } from '#discovery';
import { type Log, MeshError, refusal, systemClock, systemRandom } from '#kit';

import type { Resolved } from '../settings.ts';

/**
 * Connects to Consul, or to the stand-in that speaks its protocol. When nobody answers:
 * CONTROL_PLANE_UNAVAILABLE, or NOT_RUNNING where no address was set, for then it is the shop that is missing.
 */
export async function connectControlPlane({ values, origins }: Resolved, log: Log): Promise<ControlPlane> {
  const address = values.CONSUL_HTTP_ADDR;
  try {
    const ours = { clock: systemClock, random: systemRandom, log };
    return await connectConsul({ address, token: values.CONSUL_HTTP_TOKEN, zone: values.MESH_ZONE, ...ours });
  } catch (thrown) {
    if (MeshError.from(thrown).reason !== 'CONTROL_PLANE_UNAVAILABLE' || origins['CONSUL_HTTP_ADDR'] !== 'default') throw thrown;
    const sentence = `no shop runs here: start one with \`npm start\`, or set CONSUL_HTTP_ADDR to a Consul that runs (none answers at ${address})`;
    throw refusal('NOT_RUNNING', sentence, { cause: thrown });
  }
}

/** A channel that finds a service's instances through the control plane. */
export function openChannel(controlPlane: ControlPlane, service: string): ChannelInterface {
  return new Channel(`consul:///${service}`, credentials.createInsecure(), discoveryChannelOptions(controlPlane));
}
