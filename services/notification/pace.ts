import type { Clock } from '#kit';

/** How many things may be begun now, so that there are at most so many a second. */
export interface Pace {
  left(): number;
  take(count: number): void;
}

/** Grows by `perSecond` a second, up to one second's worth: 50 allows 50 at once, and then one every 20 ms. */
export function createPace(perSecond: number, clock: Clock): Pace {
  let tokens = perSecond;
  let filledAt = clock.now();
  return {
    left() {
      const now = clock.now();
      // A clock that was set back gives nothing, and counts from there.
      tokens = Math.min(perSecond, tokens + (Math.max(0, now - filledAt) * perSecond) / 1_000);
      filledAt = now;
      return Math.floor(tokens);
    },
    take: (count) => void (tokens -= count),
  };
}
