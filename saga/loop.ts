import type { Clock, Log } from '#kit';

export interface LoopOptions {
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

/** Repeats `work` until the signal aborts. A failure is logged once, until a round succeeds again. */
export async function loop(work: () => Promise<void>, { everyMs, signal, clock, log }: LoopOptions): Promise<void> {
  let failing = false;
  while (!signal.aborted) {
    try {
      await work();
      failing = false;
    } catch (err) {
      if (!failing) log.warn({ err }, 'the saga runner cannot reach its database; it goes on when it can');
      failing = true;
    }
    await clock.sleep(everyMs, signal).catch(() => {});
  }
}
