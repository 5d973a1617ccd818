import type { Database } from '#database';
import { type Clock, newId, type Random } from '#kit';

/** What every request is answered with. */
export interface Simulator {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
}

export function now({ clock }: Simulator): Date {
  return new Date(clock.now());
}

/** What follows the prefix of an id, as in `pi_…`. Sorts by time, so that lists can page by id. */
export function newSuffix({ clock, random }: Simulator): string {
  return newId(clock, random).replaceAll('-', '');
}
