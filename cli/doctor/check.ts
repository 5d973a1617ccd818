import type { InstanceHealth } from '#discovery';
import type { Clock, MeshError } from '#kit';

import type { SupervisorStatus } from '../local/control-messages.ts';
import type { Resolved } from '../settings.ts';

/** What a check has found, in one line. */
export type Finding =
  /** All is well, or it could not be looked at and need not be. */
  | { readonly level: 'ok' | 'skip'; readonly says: string }
  /** Works for now, or does not work; `advice` is what to do, empty where the sentence says that already. */
  | { readonly level: 'warn' | 'fail'; readonly says: string; readonly advice: string };

/** Looks for one kind of trouble. */
export interface Check {
  readonly name: string;
  /** At least one finding. What it throws is one, too. It may hang: it is not waited for beyond its time. */
  run(scene: Scene, signal: AbortSignal): Promise<readonly Finding[]>;
}

/** What all checks look at. */
export interface Scene {
  /** The settings as they are given here. */
  readonly given: Resolved;
  /** The same, and where nothing is said, those of the shop that runs. */
  readonly settings: Resolved;
  /** Of `mesh up` on this data folder; undefined when none runs. */
  readonly supervisor: SupervisorStatus | undefined;
  readonly registry: RegistrySight;
  readonly clock: Clock;
}

/** Who is registered. */
export type RegistrySight =
  | { readonly kind: 'seen'; readonly instances: readonly InstanceHealth[] }
  /** It should be there and cannot be asked. */
  | { readonly kind: 'silent'; readonly error: MeshError }
  /** There need not be one: `why` says so to people. */
  | { readonly kind: 'none'; readonly why: string };

export const ok = (says: string): Finding => ({ level: 'ok', says });
export const skip = (says: string): Finding => ({ level: 'skip', says });
export const warn = (says: string, advice: string): Finding => ({ level: 'warn', says, advice });
export const fail = (says: string, advice: string): Finding => ({ level: 'fail', says, advice });

/** The trouble that was found, else that there is none. */
export function orElse(troubles: readonly Finding[], fine: Finding): readonly Finding[] {
  return troubles.length > 0 ? troubles : [fine];
}
