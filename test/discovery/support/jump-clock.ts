import { type Clock, systemClock } from '#kit';

export interface JumpClock extends Clock {
  /** Lets hours pass at once: whoever would have woken meanwhile wakes now. */
  jump(ms: number): void;
}

/** The system's clock, except that time can be made to leap. */
export function createJumpClock(): JumpClock {
  let offsetMs = 0;
  const sleepers = new Map<AbortController, number>();
  const now = (): number => systemClock.now() + offsetMs;
  return {
    now,
    sleep: async (ms, signal) => {
      const woken = new AbortController();
      sleepers.set(woken, now() + ms);
      try {
        // A timer of Node's takes no more than that.
        await systemClock.sleep(Math.min(ms, 2 ** 31 - 1), signal ? AbortSignal.any([signal, woken.signal]) : woken.signal);
      } catch (thrown) {
        if (!woken.signal.aborted) throw thrown;
      } finally {
        sleepers.delete(woken);
      }
    },
    jump: (ms) => {
      offsetMs += ms;
      for (const [sleeper, untilMs] of sleepers) if (untilMs <= now()) sleeper.abort();
    },
  };
}
