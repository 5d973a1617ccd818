import { setTimeout as delay } from 'node:timers/promises';

/** Where time comes from. Passed in, so that a test can rule it. */
export interface Clock {
  /** Wall clock in milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal ? { signal } : {});
    } catch (thrown) {
      signal?.throwIfAborted();
      throw thrown;
    }
  },
};
