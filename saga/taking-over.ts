import type { Database } from '#database';
import { createAlarm, repeat, type RepeatOptions, type Stoppable } from '#kit';

import { reachOf } from './definition.ts';
import type { DefinitionRegistry } from './registry.ts';
import { type SagaRow, turnStep } from './saga-row.ts';
import { type Claimed, claimDue, SAGA_DUE } from './store.ts';

export interface TakingOverOptions {
  readonly database: Database;
  readonly registry: DefinitionRegistry;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly concurrency: number;
  readonly rounds: Omit<RepeatOptions, 'everyMs'>;
  /** Runs a saga as far as it goes now. `sinceMs`: when it was asked for. Never rejects. */
  run(saga: SagaRow, sinceMs: number): Promise<unknown>;
}

export interface TakingOver extends Stoppable {
  /** Takes sagas until the signal of the rounds aborts: those that are due, soon after somebody says so, or at the next look. */
  keep(): Promise<void>;
  /** Taken over so far. */
  readonly count: number;
}

/**
 * At most `concurrency` at once, so that those begun here find room too, whatever there is to
 * take over; the longest due first. Those that wait for longer than a second do so in the
 * table and keep nobody from a place.
 */
export function createTakingOver({ database, registry, leaseMs, pollMs, concurrency, rounds, run }: TakingOverOptions): TakingOver {
  const alarm = createAlarm(rounds.clock);
  const listening = { stop: async (): Promise<void> => {} };
  let running = 0;
  let count = 0;
  let isMore = false;

  async function take(): Promise<void> {
    const free = concurrency - running;
    if (free <= 0) return;
    const sinceMs = rounds.clock.now();
    const claimed = await claimDue(database, registry.keys, free, leaseMs);
    isMore = claimed.length === free;
    for (const saga of claimed) {
      running += 1;
      count += 1;
      void run(asTaken(registry, saga), sinceMs).finally(() => {
        running -= 1;
        // Half of the places at a time, and not each by itself: fewer looks.
        if (isMore && running <= concurrency / 2) alarm.ring();
      });
    }
  }

  return {
    async keep() {
      listening.stop = (await database.listen(SAGA_DUE, alarm.ring)).stop;
      await repeat(take, { ...rounds, clock: alarm, everyMs: pollMs });
    },
    stop: () => listening.stop(),
    get count() {
      return count;
    },
  };
}

/**
 * What this process must know of a saga that another one had. One that was not let go may
 * have got further than is written; one that somebody wants undone turns round without
 * another step.
 */
function asTaken(registry: DefinitionRegistry, { cancellation, wasWaiting, ...row }: Claimed): SagaRow {
  const definition = registry.find(row);
  const reach = wasWaiting || !definition ? row.reach : Math.max(row.reach, reachOf(definition, row.step));
  const saga: SagaRow = { ...row, reach };
  if (cancellation === null || saga.status !== 'RUNNING') return saga;
  const step = turnStep(saga, saga.step);
  return { ...saga, status: 'COMPENSATING', step, turnedAt: step, attempt: 0, refusals: 0, wakeTime: null, failure: cancellation };
}
