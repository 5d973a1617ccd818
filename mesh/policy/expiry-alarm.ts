import type { Clock } from '#kit';

/** Longer than it takes to notice a clock that was set, or a machine that slept; far below what a timer can hold (24.8 days). */
const LONGEST_SLEEP_MS = 60_000;

/** Says when something that was to last until some time is over. */
export interface ExpiryAlarm {
  /** Times in milliseconds since the epoch, instead of those given before. Infinity never comes. */
  set(timesMs: readonly number[]): void;
  stop(): void;
}

/** `onExpiry` is called when the next of the times has come, once a minute at least while one is to come, and sets the alarm anew. */
export function createExpiryAlarm(clock: Clock, onExpiry: () => void): ExpiryAlarm {
  let sleep: AbortController | undefined;

  const stop = (): void => sleep?.abort();
  return {
    set(timesMs) {
      stop();
      const nowMs = clock.now();
      const nextMs = Math.min(...timesMs.filter((time) => time > nowMs));
      if (nextMs === Infinity) return;
      sleep = new AbortController();
      clock.sleep(Math.min(nextMs - nowMs, LONGEST_SLEEP_MS), sleep.signal).then(onExpiry, () => undefined);
    },
    stop,
  };
}
