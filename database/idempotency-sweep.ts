import { type Clock, type Log, repeat, type Stoppable } from '#kit';

import { SWEEP } from './idempotency.ts';
import type { Queryable } from './statement.ts';

/**
 * For so long a key is kept at least. Callers send again within seconds, sagas under keys of their own rows, people and
 * queues within the day; Stripe keeps its keys for 24 hours too (https://docs.stripe.com/api/idempotent_requests). A row and
 * its index entries take some 340 bytes: 100 orders a second are 8.6 million rows, 2.9 GB.
 */
const KEPT_MS = 24 * 60 * 60 * 1_000;
const LOOK_EVERY_MS = 60_000;
/** Keys a statement takes at most. At 100 new ones a second, 6 statements a minute. */
const BATCH = 1_000;

export interface IdempotencySweepOptions {
  readonly clock: Clock;
  readonly log: Log;
}

/** Deletes keys that nobody will send again. Every instance does it; none waits for another. */
export function startIdempotencySweep(database: Queryable, { clock, log }: IdempotencySweepOptions): Stoppable {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function sweep(): Promise<void> {
    let swept: number;
    do {
      swept = (await database.query(SWEEP, [KEPT_MS, BATCH])).length;
      if (swept > 0) log.debug({ swept }, 'deleted idempotency keys that are out of use');
    } while (swept === BATCH && !signal.aborted);
  }

  const failure = 'cannot delete old idempotency keys; goes on when it can';
  const sweeping = repeat(sweep, { everyMs: LOOK_EVERY_MS, signal, clock, log, failure });
  return {
    async stop() {
      stopping.abort();
      await sweeping;
    },
  };
}
