import type { Log } from './log.ts';

/** Something that was started and can be stopped and awaited. */
export interface Stoppable {
  stop(): Promise<void>;
}

/** What was started, in order, so that it can be stopped in reverse. */
export interface Lifecycle extends Stoppable {
  /** Adds a step of the way down. */
  onStop(name: string, stop: () => Promise<void> | void): void;
}

/**
 * Collects what a process started. `stop()` runs the steps in reverse; a step that
 * fails is logged and the others still run. Stopping twice is one stop.
 */
export function createLifecycle(log: Log): Lifecycle {
  const steps: { name: string; stop: () => Promise<void> | void }[] = [];
  let stopping: Promise<void> | undefined;

  async function stopAll(): Promise<void> {
    for (const { name, stop } of steps.reverse()) {
      try {
        await stop();
      } catch (err) {
        log.error({ err, step: name }, 'could not stop cleanly');
      }
    }
  }

  return {
    onStop: (name, stop) => void steps.push({ name, stop }),
    stop: () => (stopping ??= stopAll()),
  };
}
