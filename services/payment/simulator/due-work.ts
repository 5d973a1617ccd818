import type { Clock, Log } from '#kit';

/** Work that comes up at certain times. */
export interface DueWork {
  /** Looks at once: something was added. */
  wake(): void;
  /** Resolves when the last round is over, after the signal has aborted. */
  readonly ended: Promise<void>;
}

export interface DueWorkOptions {
  /** Does what is due; resolves with the time at which more will be, undefined when there is nothing. */
  readonly work: () => Promise<Date | undefined>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  /** The sentence to log when a round fails: what cannot be done now. */
  readonly failure: string;
}

/** Rounds follow each other no faster, also when a clock stands still. */
const LEAST_PAUSE_MS = 5;
const PAUSE_AFTER_FAILURE_MS = 500;

/** Begins at once with what an earlier process has left; asks nobody while nothing is due. */
export function startDueWork({ work, signal, clock, log, failure }: DueWorkOptions): DueWork {
  let alarm = new AbortController();

  /** How long nothing is due; undefined for ever. Never rejects. */
  async function round(): Promise<number | undefined> {
    try {
      const dueAt = await work();
      return dueAt && Math.max(LEAST_PAUSE_MS, dueAt.getTime() - clock.now());
    } catch (err) {
      if (!signal.aborted) log.warn({ err }, failure);
      return PAUSE_AFTER_FAILURE_MS;
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      // Before the round: what is added while it looks brings the next one about.
      alarm = new AbortController();
      const pauseMs = await round();
      await pause(pauseMs, clock, AbortSignal.any([alarm.signal, signal]));
    }
  }

  return { wake: () => alarm.abort(), ended: run() };
}

/** @param ms undefined for as long as the signal lets it */
async function pause(ms: number | undefined, clock: Clock, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  if (ms !== undefined) return clock.sleep(ms, signal).catch(() => {});
  return new Promise((settle) => signal.addEventListener('abort', () => settle(), { once: true }));
}
