import type { Log } from './log.ts';

/** Something that was started and can be stopped and awaited. */
export interface Stoppable {
  stop(): Promise<void>;
}

/** The way down of what was started. */
export interface StopSteps {
  /** Adds a step of the way down. */
  onStop(name: string, stop: () => Promise<void> | void): void;
}

/** What was started, in order, so that it can be stopped in reverse. */
export interface Lifecycle extends StopSteps, Stoppable {
  /**
   * One step for things that start side by side, in an order that nobody knows: when its
   * turn comes, what was added to it by then stops all at once.
   */
  together(): StopSteps;
}

/**
 * Collects what a process started. `stop()` runs the steps in reverse; a step that
 * fails is logged and the others still run. Stopping twice is one stop.
 */
export function createLifecycle(log: Log): Lifecycle {
  const steps: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | undefined;

  async function stopAll(): Promise<void> {
    for (const stop of steps.reverse()) await stop();
  }

  return {
    onStop: (name, stop) => void steps.push(() => stopOne(name, stop, log)),
    together() {
      const sameStep: (() => Promise<void>)[] = [];
      steps.push(() => Promise.all(sameStep.map((stop) => stop())));
      return { onStop: (name, stop) => void sameStep.push(() => stopOne(name, stop, log)) };
    },
    stop: () => (stopping ??= stopAll()),
  };
}

/** Never rejects. */
async function stopOne(step: string, stop: () => Promise<void> | void, log: Log): Promise<void> {
  try {
    await stop();
  } catch (err) {
    log.error({ err, step }, 'could not stop cleanly');
  }
}
