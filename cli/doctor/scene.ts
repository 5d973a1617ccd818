import { type Clock, MeshError, silentLog } from '#kit';

import type { SupervisorStatus } from '../local/control-messages.ts';
import { connectControlPlane } from '../serving/control-plane.ts';
import { isKnownShop, START_A_SHOP } from '../serving/known-shop.ts';
import type { Resolved } from '../settings.ts';
import type { RegistrySight, Scene } from './check.ts';

/** What is set, and what runs. */
export interface Surroundings {
  /** The settings as they are given here. */
  readonly given: Resolved;
  /** The same, completed by those of the shop that runs; undefined while one starts, which cannot tell them yet. */
  readonly completed: Resolved | undefined;
  readonly supervisor: SupervisorStatus | undefined;
}

/** Looks who is registered. Takes a few seconds where a registry does not answer. */
export async function lookAround({ given, completed, supervisor }: Surroundings, clock: Clock): Promise<Scene> {
  const registry: RegistrySight = completed ? await askRegistry(completed) : { kind: 'none', why: 'the shop is not up yet' };
  return { given, settings: completed ?? given, supervisor, registry, clock };
}

async function askRegistry(settings: Resolved): Promise<RegistrySight> {
  if (!isKnownShop(settings)) return { kind: 'none', why: `no shop runs here; ${START_A_SHOP}` };
  try {
    const controlPlane = await connectControlPlane(settings, silentLog);
    try {
      return { kind: 'seen', instances: await controlPlane.listInstances() };
    } finally {
      await controlPlane.stop();
    }
  } catch (thrown) {
    return { kind: 'silent', error: MeshError.from(thrown) };
  }
}
