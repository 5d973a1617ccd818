import type { Database } from '#database';
import { type Clock, newId, type Random } from '#kit';

import type { Misbehaviour } from './misbehaviour.ts';

/** What the simulator does although nobody asks. Each is told when something for it was committed. */
export interface Background {
  /** There is an event to deliver. */
  wakeDelivery(): void;
  /** There is a refund that settles later. */
  wakeSettling(): void;
}

/** What every request is answered with. */
export interface Simulator {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly misbehaviour: Misbehaviour;
  /** Whether anybody is told what happens. */
  readonly hasWebhook: boolean;
  /** How long a refund takes that does not settle at once. */
  readonly refundSettlesAfterMs: number;
  readonly background: Background;
}

export function now({ clock }: Pick<Simulator, 'clock'>): Date {
  return new Date(clock.now());
}

/** What follows the prefix of an id, as in `pi_…`. Sorts by time, so that lists can page by id. */
export function newSuffix({ clock, random }: Pick<Simulator, 'clock' | 'random'>): string {
  return newId(clock, random).replaceAll('-', '');
}
