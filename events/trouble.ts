import { type Clock, type Log, MeshError } from '#kit';

/** Something that fails again and again for one reason: one line in the log when that begins, one when it is over. */
export interface Trouble {
  /** Returns how many failures there were in a row. */
  met(thrown: unknown): number;
  isOver(): void;
}

/** @param sentences what cannot be done now, and that it can be done again */
export function createTrouble(log: Log, clock: Clock, [begins, ends]: readonly [string, string]): Trouble {
  let failures = 0;
  let since = 0;
  return {
    met(thrown) {
      if (failures === 0) {
        since = clock.now();
        log.warn({ err: MeshError.from(thrown) }, begins);
      }
      failures += 1;
      return failures;
    },
    isOver() {
      if (failures > 0) log.info({ afterMs: clock.now() - since, failures }, ends);
      failures = 0;
    },
  };
}
