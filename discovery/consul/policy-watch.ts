import { isDeepStrictEqual } from 'node:util';
import type { Clock, Random } from '#kit';

import type { Policy } from '../control-plane.ts';
import { runBlockingLoop } from './blocking-loop.ts';
import type { Outage } from './outage.ts';
import type { PolicyCalls } from './policy-calls.ts';
import { createSharedWatch, type SharedWatch } from './shared-watch.ts';

export interface PolicyWatchOptions {
  readonly consul: Pick<PolicyCalls, 'policies'>;
  readonly outage: Outage;
  readonly clock: Clock;
  readonly random: Random;
  readonly waitMs: number;
}

/** The watch on every policy under a prefix. That the last one is gone is confirmed and then takes effect at once. */
export function createPolicyWatch(prefix: string, options: PolicyWatchOptions): SharedWatch<readonly Policy[]> {
  const { consul, outage, clock, random, waitMs } = options;
  const party = `policies ${prefix}`;
  return createSharedWatch<readonly Policy[]>({
    equal: isDeepStrictEqual,
    run: async (sink, signal) => {
      await runBlockingLoop(
        {
          clock,
          random,
          query: (index) => consul.policies(prefix, { index, waitMs, signal }),
          onAnswer: async (answered) => {
            const isSuspect = answered.length === 0 && (sink.heard() ?? []).length > 0;
            const fresh = isSuspect && (await consul.policies(prefix, { index: 0, waitMs, fresh: true, signal }));
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
