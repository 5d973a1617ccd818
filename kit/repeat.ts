import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

export interface RepeatOptions {
  /** The pause between the end of one round and the beginning of the next. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  /** The sentence to log when a round fails: what cannot be done now, and that it goes on. */
  readonly failure: string;
}

/**
 * Runs `work` at once and then again and again, until the signal aborts; resolves when the last round is over, and never
 * rejects. A failure is logged once, as a warning, until a round succeeds: an outage has many rounds.
 */
export async function repeat(work: () => Promise<void>, { everyMs, signal, clock, log, failure }: RepeatOptions): Promise<void> {
  let failing = false;
  while (!signal.aborted) {
    try {
      await work();
      failing = false;
    } catch (err) {
      if (!failing) log.warn({ err }, failure);
      failing = true;
    }
    await clock.sleep(everyMs, signal).catch(() => {});
  }
}
