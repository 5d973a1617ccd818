import type { Database } from '#database';
import { type Clock, type Log, repeat, type Stoppable } from '#kit';

import { expireReservations } from './transition.ts';

/** So goods are back this long after they are due at the latest, when the instance has nothing else to do. */
const LOOK_EVERY_MS = 1_000;
/** Reservations a statement takes at most: orders wait for the stock it has locked. */
const BATCH = 100;

/** Gives back what nobody committed in time. Every instance does it; none waits for another. */
export interface ExpirySweep extends Stoppable {
  start(): void;
}

export function createExpirySweep(database: Database, clock: Clock, log: Log): ExpirySweep {
  const stopping = new AbortController();
  const { signal } = stopping;
  let sweeping = Promise.resolve();

  async function expireAllDue(): Promise<void> {
    let expired: number;
    do {
      expired = await expireReservations(database, BATCH);
      if (expired > 0) log.info({ expired }, 'gave the goods of expired reservations back');
    } while (expired === BATCH && !signal.aborted);
  }

  return {
    start() {
      const failure = 'cannot look for expired reservations; goes on when it can';
      sweeping = repeat(expireAllDue, { everyMs: LOOK_EVERY_MS, signal, clock, log, failure });
    },
    async stop() {
      stopping.abort();
      await sweeping;
    },
  };
}
