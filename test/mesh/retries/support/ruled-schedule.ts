import type { Schedule } from '../../../../mesh/client/schedule.ts';

/** Timers that go off when a test says so. */
export interface RuledSchedule {
  readonly schedule: Schedule;
  /** After how long those go off that were neither run nor cancelled. */
  waitingMs(): number[];
  /** Lets the oldest of them go off. */
  goOff(): void;
}

export function createRuledSchedule(): RuledSchedule {
  const waiting = new Map<() => void, number>();
  return {
    schedule(afterMs, run) {
      waiting.set(run, afterMs);
      return () => void waiting.delete(run);
    },
    waitingMs: () => [...waiting.values()],
    goOff() {
      const [run] = waiting.keys();
      if (!run) throw new Error('no timer is waiting');
      waiting.delete(run);
      run();
    },
  };
}
