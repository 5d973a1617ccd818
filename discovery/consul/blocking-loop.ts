import { backoffMs, type Clock, jitter, MeshError, type Random } from '#kit';

import type { BlockingAnswer } from './query.ts';

export interface BlockingLoopOptions<T> {
  /** One read; index 0 must answer at once. */
  query(index: number, signal: AbortSignal): Promise<BlockingAnswer<T>>;
  /** Each answer, changed or not. When it fails, the answer counts as not given. */
  onAnswer(value: T, signal: AbortSignal): Promise<void> | void;
  onError(error: MeshError): void;
  readonly clock: Clock;
  readonly random: Random;
  /** Shortest time between the starts of two queries. Default 100. */
  readonly minIntervalMs?: number;
  /** The same while the server gives no index to wait on. Default 1,000. */
  readonly pollIntervalMs?: number;
}

const MIN_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5_000;

/**
 * Reads for ever, each time waiting for something newer than the last answer,
 * until the signal aborts. It never gives up: after an error it waits about 0.2,
 * 0.4, 0.8 … 5 s. It follows Consul's rules for clients
 * (https://developer.hashicorp.com/consul/api-docs/features/blocking#implementation-details).
 */
export async function runBlockingLoop<T>(options: BlockingLoopOptions<T>, signal: AbortSignal): Promise<void> {
  const { clock, random, minIntervalMs = 100, pollIntervalMs = 1_000 } = options;
  let index = 0;
  let failures = 0;
  while (!signal.aborted) {
    const startedAt = clock.now();
    let pauseMs: number;
    try {
      const answer = await options.query(index, signal);
      await options.onAnswer(answer.value, signal);
      failures = 0;
      const interval = answer.index < 1 ? pollIntervalMs : minIntervalMs;
      index = nextIndex(index, answer.index);
      pauseMs = jitter(interval, random) - Math.max(0, clock.now() - startedAt);
    } catch (thrown) {
      if (signal.aborted) return;
      failures += 1;
      // After a restart the server counts from the start again: an old index would wait for what is long past.
      index = 0;
      options.onError(MeshError.from(thrown));
      pauseMs = backoffMs(failures, MIN_BACKOFF_MS, MAX_BACKOFF_MS, random);
    }
    if (pauseMs > 0) await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}

/** An index that went backwards, or is below 1, must not be waited on. */
function nextIndex(previous: number, answered: number): number {
  return answered < 1 || answered < previous ? 0 : answered;
}
