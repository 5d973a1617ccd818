import { lookup } from 'node:dns/promises';

import type { ControlPlane } from '#discovery';
import { MeshError, refusal } from '#kit';
import type { Listening } from '#mesh';
import type { ModuleName } from '#modules';

import { portSetting, type Resolved } from '../settings.ts';
import { isAt } from './is-at.ts';

/** What a port is opened in. */
export interface PortSurroundings {
  readonly settings: Resolved;
  readonly controlPlane: ControlPlane;
  readonly address: string;
}

/**
 * The service's own port. A further instance of a service takes a free one by itself; a
 * port that something else holds is refused with the setting that moves it.
 */
export async function listenOnOwnPort(
  name: ModuleName,
  open: (port: number) => Promise<Listening>,
  { settings, controlPlane, address }: PortSurroundings,
): Promise<Listening> {
  const port = settings.ports[name];
  try {
    return await open(port);
  } catch (thrown) {
    const error = MeshError.from(thrown);
    if (error.reason !== 'PORT_IN_USE') throw thrown;
    const instances = await controlPlane.listInstances();
    const replica = instances.some((other) => other.healthy && isAt(other, name, address, port));
    if (replica && settings.origins[portSetting(name)] !== 'flag') return open(0);
    throw refusal('PORT_IN_USE', `${error.message}; ${name} needs it: end what holds it, or set ${portSetting(name)} to another port (0 takes a free one)`, {
      metadata: error.metadata,
      cause: thrown,
    });
  }
}

/** Consul's instances are called by IP address, so a host name is looked up here, once. */
export async function resolveAddress(advertise: string): Promise<string> {
  try {
    return (await lookup(advertise)).address;
  } catch (cause) {
    throw refusal('INVALID_SETTING', `MESH_ADVERTISE is ${advertise}, which is neither an IP address nor a host name that can be looked up`, { cause });
  }
}
