import type { ConsulControlPlane } from '#discovery';
import type { Log } from '#kit';

import { connectControlPlane } from '../serving/control-plane.ts';
import type { Resolved } from '../settings.ts';
import type { Environment } from './environment.ts';
import { isListening } from './listening.ts';

/** Clears up in the registry after processes that died. Never fails: their checks would do the same later. */
export interface Registry {
  /** These ids belonged to a process that was killed. */
  forget(ids: readonly string[]): Promise<void>;
}

/** The registry that the services use. */
export function createRegistry(consul: Promise<Environment>, settings: Resolved, log: Log): Registry {
  return {
    forget: async (ids) => {
      try {
        await inRegistry(withConsul(settings, await consul), log, ({ forget }) => Promise.all(ids.map(forget)));
      } catch (err) {
        log.warn({ err, ids }, 'could not take dead instances out of the registry; it forgets them when their checks fail');
      }
    },
  };
}

/**
 * Takes everybody out of a registry that was read from disk who does not listen any
 * more: what a killed supervisor left. Only for the stand-in, whose instances are all
 * on this machine. Whoever does live registers again by itself.
 */
export async function forgetTheDead(consul: Environment, settings: Resolved, log: Log): Promise<void> {
  await inRegistry(withConsul(settings, consul), log, async ({ listInstances, forget }) => {
    const instances = await listInstances();
    const listening = await Promise.all(instances.map(({ address, port }) => isListening(address, port)));
    const dead = instances.filter((_, index) => !listening[index]);
    await Promise.all(dead.map(({ id }) => forget(id)));
  });
}

async function inRegistry(where: Resolved, log: Log, use: (controlPlane: ConsulControlPlane) => Promise<unknown>): Promise<void> {
  const controlPlane = await connectControlPlane(where, log);
  try {
    await use(controlPlane);
  } finally {
    await controlPlane.stop();
  }
}

function withConsul(settings: Resolved, { CONSUL_HTTP_ADDR }: Environment): Resolved {
  if (CONSUL_HTTP_ADDR === undefined) return settings;
  return { ...settings, values: { ...settings.values, CONSUL_HTTP_ADDR }, origins: { ...settings.origins, CONSUL_HTTP_ADDR: 'flag' } };
}
