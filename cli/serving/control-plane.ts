import { Channel, credentials } from '@grpc/grpc-js';

import { connectConsul, type ControlPlane, discoveryChannelOptions } from '#discovery';
import { type Log, systemClock, systemRandom } from '#kit';
import type { OpenChannel } from '#mesh';

import type { Resolved } from '../settings.ts';
import { isKnownShop, noShopHere } from './known-shop.ts';

/**
 * Connects to Consul, or to the stand-in that speaks its protocol. CONTROL_PLANE_UNAVAILABLE when nobody answers;
 * NOT_RUNNING, without asking, where nobody has said who is to be asked.
 */
export async function connectControlPlane(settings: Resolved, log: Log): Promise<ControlPlane> {
  if (!isKnownShop(settings)) throw noShopHere();
  const { CONSUL_HTTP_ADDR: address, CONSUL_HTTP_TOKEN: token, MESH_ZONE: zone } = settings.values;
  return connectConsul({ address, token, zone, clock: systemClock, random: systemRandom, log });
}

/** How the mesh opens the channel to a service: its instances come from the control plane, everything else from the mesh's own options. */
export function channelsThrough(controlPlane: ControlPlane): OpenChannel {
  return (service, options) => new Channel(`consul:///${service}`, credentials.createInsecure(), { ...options, ...discoveryChannelOptions(controlPlane) });
}
