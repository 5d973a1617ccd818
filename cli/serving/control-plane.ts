import { Channel, type ChannelInterface, credentials } from '@grpc/grpc-js';

import { connectConsul, type ControlPlane, discoveryChannelOptions } from '#discovery';
import { type Log, systemClock, systemRandom } from '#kit';

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

/** A channel that finds a service's instances through the control plane. */
export function openChannel(controlPlane: ControlPlane, service: string): ChannelInterface {
  return new Channel(`consul:///${service}`, credentials.createInsecure(), discoveryChannelOptions(controlPlane));
}
