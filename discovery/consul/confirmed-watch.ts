import { isDeepStrictEqual } from 'node:util';
import type { Clock, Random } from '#kit';

import { runBlockingLoop } from './blocking-loop.ts';
import type { Outage } from './outage.ts';
import type { BlockingAnswer, BlockingRead } from './query.ts';
import { createSharedWatch, type SharedWatch } from './shared-watch.ts';

export interface ConfirmedWatchOptions {
  readonly outage: Outage;
  readonly clock: Clock;
  readonly random: Random;
  readonly waitMs: number;
}

/**
 * The watch on a list of which the last entry may really go. An empty answer may be false,
 * so it is confirmed by a fresh read, and takes effect at once then. `party` names the watch
 * in an outage.
 */
export function createConfirmedWatch<T>(
  party: string,
  read: (read: BlockingRead) => Promise<BlockingAnswer<readonly T[]>>,
  { outage, clock, random, waitMs }: ConfirmedWatchOptions,
): SharedWatch<readonly T[]> {
  return createSharedWatch<readonly T[]>({
    equal: isDeepStrictEqual,
    run: async (sink, signal) => {
      await runBlockingLoop(
        {
          clock,
          random,
          query: (index) => read({ index, waitMs, signal }),
          onAnswer: async (answered) => {
            const isSuspect = answered.length === 0 && (sink.heard() ?? []).length > 0;
            const fresh = isSuspect && (await read({ index: 0, waitMs, fresh: true, signal }));
            outage.succeeded(party);
            sink.publish(fresh ? fresh.value : answered);
          },
          onError: (error) => {
            outage.failed(party, error);
            sink.fail(error);
          },
        },
        signal,
      );
      outage.forget(party);
    },
  });
}
