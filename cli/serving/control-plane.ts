import { Channel } from '@grpc/grpc-js';

import { connectConsul, type ConsulControlPlane, type ControlPlane, discoveryChannelOptions } from '#discovery';
import { type Log, systemClock, systemRandom } from '#kit';
import { meshCredentials, type OpenChannel, trustOptions } from '#mesh';

import type { Resolved } from '../settings.ts';
import { consulOptions } from './consul-settings.ts';
import type { Identities } from './identities.ts';
import { isKnownShop, noShopHere } from './known-shop.ts';

/**
 * Connects to Consul, or to the stand-in that speaks its protocol. CONTROL_PLANE_UNAVAILABLE when nobody answers;
 * NOT_RUNNING, without asking, where nobody has said who is to be asked.
 */
export async function connectControlPlane(settings: Resolved, log: Log): Promise<ConsulControlPlane> {
  if (!isKnownShop(settings)) throw noShopHere();
  const { MESH_ZONE: zone } = settings.values;
  return connectConsul({ ...(await consulOptions(settings.values)), zone, clock: systemClock, random: systemRandom, log });
}

/**
 * How the mesh opens a service's channel to another one: over mTLS, each side with its own certificate. Instances come from
 * the control plane, everything else from the mesh's own options.
 */
export function channelsThrough(controlPlane: ControlPlane, identities: Pick<Identities, 'of'>): OpenChannel {
  return (service, options, caller) => {
    const identity = identities.of(caller);
    const all = { ...options, ...discoveryChannelOptions(controlPlane), ...trustOptions(identity) };
    return new Channel(`consul:///${service}`, meshCredentials(identity, service), all);
  };
}
