import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '#kit';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

export interface ManualClock extends Clock {
  /** Lets the time pass, and lets what wakes up do its work. */
  advance(ms: number): Promise<void>;
  /** How long each sleeper still has. */
  sleeping(): readonly number[];
}

/** A clock that stands still until it is told otherwise. */
export function createManualClock(): ManualClock {
  let now = 1_000_000;
  const sleepers = new Set<Sleeper>();

  async function settle(): Promise<void> {
    for (let turns = 0; turns < 5; turns += 1) await turn();
  }

  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const sleeper = { until: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          if (sleepers.delete(sleeper)) reject(signal.reason as Error);
        });
      }),
    advance: async (ms) => {
      await settle();
      const end = now + ms;
      for (;;) {
        const [next] = [...sleepers].sort((one, other) => one.until - other.until);
        if (!next || next.until > end) break;
        now = Math.max(now, next.until);
        sleepers.delete(next);
        next.wake();
        await settle();
      }
      now = end;
    },
    sleeping: () => [...sleepers].map((sleeper) => sleeper.until - now),
  };
}
