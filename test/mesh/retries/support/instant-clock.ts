import type { Clock } from '#kit';

/** A clock that a test moves, on which sleep takes no time: what was slept is written down instead. */
export interface InstantClock extends Clock {
  /** Negative: it is set back. */
  advance(ms: number): void;
  /** Milliseconds, in the order in which they were asked for. */
  readonly slept: readonly number[];
}

export function createInstantClock(now = Date.UTC(2026, 0, 1)): InstantClock {
  const slept: number[] = [];
  return {
    now: () => now,
    advance: (ms) => void (now += ms),
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      slept.push(ms);
    },
    slept,
  };
}
