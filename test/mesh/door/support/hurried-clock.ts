import { type Clock, systemClock } from '#kit';

/** A clock that runs `factor` times as fast as the system's: the default limits can be waited for. */
export function createHurriedClock(factor: number): Clock {
  const began = Date.now();
  return {
    now: () => began + (Date.now() - began) * factor,
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}
