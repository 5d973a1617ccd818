import { type Clock, refusal, type Stoppable } from '#kit';

/** Bounds how long the tries of steps take. */
export interface StepDeadlines extends Stoppable {
  /** Runs one try. Rejects with DEADLINE_EXCEEDED when it takes longer, also if it does not heed its signal. */
  run<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Tells all tries, those to come too, that the process is about to stop; it does not end them. */
  abort(): void;
}

interface Try {
  readonly untilMs: number;
  readonly controller: AbortController;
  expire(error: Error): void;
}

/** One look at all tries is cheaper than a timer for each, of which most would be cancelled after a millisecond. */
const LOOK_EVERY_MS = 50;

export function createStepDeadlines(clock: Clock): StepDeadlines {
  const running = new Set<Try>();
  const idle = new AbortController();
  let isAborted = false;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    while (running.size > 0 && !idle.signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, idle.signal).catch(() => {});
      const now = clock.now();
      for (const one of running) {
        if (one.untilMs <= now) one.expire(refusal('DEADLINE_EXCEEDED', 'the step took longer than it may; whether it took effect is not known'));
      }
    }
    looking = undefined;
  }

  return {
    async run(timeoutMs, work) {
      const { promise: expired, reject } = Promise.withResolvers<never>();
      const controller = new AbortController();
      if (isAborted) controller.abort();
      const expire = (error: Error): void => {
        reject(error);
        controller.abort(error);
      };
      const one: Try = { untilMs: clock.now() + timeoutMs, controller, expire };
      running.add(one);
      looking ??= look();
      try {
        return await Promise.race([work(controller.signal), expired]);
      } finally {
        running.delete(one);
      }
    },
    abort() {
      isAborted = true;
      for (const { controller } of running) controller.abort();
    },
    async stop() {
      idle.abort();
      await looking;
    },
  };
}
