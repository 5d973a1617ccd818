import type { Clock } from '#kit';

/** Sleep that others can end. */
export interface Alarm {
  /** Ends the sleep, or the next one when nobody sleeps. */
  ring(): void;
  sleep(ms: number): Promise<void>;
}

export function createAlarm(clock: Clock): Alarm {
  let isRung = false;
  let sleeper: AbortController | undefined;
  return {
    ring() {
      isRung = true;
      sleeper?.abort();
    },
    async sleep(ms) {
      if (!isRung) {
        sleeper = new AbortController();
        await clock.sleep(ms, sleeper.signal).catch(() => undefined);
        sleeper = undefined;
      }
      isRung = false;
    },
  };
}
