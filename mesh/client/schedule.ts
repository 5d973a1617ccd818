/** Runs something once after so long, unless what it returns is called first. Passed in, so that a test can rule it. */
export type Schedule = (afterMs: number, run: () => void) => () => void;

/** By the process's timers: one for each call, so it is no promise with a signal. */
export const timerSchedule: Schedule = (afterMs, run) => {
  const timer = setTimeout(run, afterMs);
  return () => clearTimeout(timer);
};
