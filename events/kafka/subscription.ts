import { backoffMs, type Stoppable } from '#kit';

import { type GroupSessionOptions, runGroupSession } from './group-session.ts';
import { plainError } from './kafka-errors.ts';

const RETRY_BASE_MS = 200;
const RETRY_MAX_MS = 5_000;
/** A session that has lasted so long counts as one that worked: the next failure is the first again. */
const LASTING_MS = 30_000;

/** Consumes until it is stopped: one session in the group after the other, should one break. */
export function startSubscription(options: GroupSessionOptions): Stoppable {
  const { clock, random, log, group } = options;
  const stopping = new AbortController();

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const startedAtMs = clock.now();
      try {
        await runGroupSession(options, stopping.signal);
      } catch (thrown) {
        if (stopping.signal.aborted) return;
        if (clock.now() - startedAtMs > LASTING_MS) failures = 0;
        failures += 1;
        if (failures === 1) log.warn({ err: plainError(thrown), group }, 'consuming from Kafka was interrupted; it is tried again until it works');
        await clock.sleep(backoffMs(failures, RETRY_BASE_MS, RETRY_MAX_MS, random), stopping.signal).catch(() => {});
      }
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
