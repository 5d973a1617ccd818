import type { Clock } from './clock.ts';

/** A clock whose sleeper can be woken early. */
export interface Alarm extends Clock {
  /** Ends the sleep that is under way, or else the next one at once: nothing that happens meanwhile is slept through. */
  ring(): void;
}

/** Nobody is told it: it spares the error with a stack that an abort makes which is given no reason. */
const RUNG = 'rung';

/** For one sleeper. */
export function createAlarm(clock: Clock): Alarm {
  let isRung = false;
  let wake: (() => void) | undefined;
  return {
    now: clock.now,
    async sleep(ms, signal) {
      const early = new AbortController();
      wake = () => early.abort(RUNG);
      if (isRung) wake();
      try {
        await clock.sleep(ms, signal ? AbortSignal.any([signal, early.signal]) : early.signal);
      } catch (thrown) {
        if (!early.signal.aborted) throw thrown;
      } finally {
        isRung = false;
        wake = undefined;
      }
    },
    ring() {
      isRung = true;
      wake?.();
    },
  };
}
