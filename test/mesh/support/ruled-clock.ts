import { type Clock, systemClock } from '#kit';

/** A clock that stands still until a test moves it. */
export interface RuledClock extends Clock {
  /** Negative: it is set back. */
  advance(ms: number): void;
}

/** Sleepers sleep by the system's clock: only what the time is, is ruled. */
export function createRuledClock(now = Date.UTC(2026, 0, 1)): RuledClock {
  return {
    now: () => now,
    advance: (ms) => void (now += ms),
    sleep: systemClock.sleep,
  };
}
