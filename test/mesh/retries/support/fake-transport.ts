import type { MeshError } from '#kit';
import type { ClientCall, Invoke, Reply } from '#mesh';

import { answer } from './calls.ts';

/** What an attempt meets: an error, or an answer. */
export type Outcome = MeshError | 'answer';

/** A transport whose attempts end as told, one after another; the last outcome holds for all that follow. */
export interface FakeTransport {
  readonly invoke: Invoke<ClientCall>;
  readonly attempts: readonly ClientCall[];
}

/** Picks the instances `a`, `b`, `c` … in turn. */
export function fakeTransport(...outcomes: readonly Outcome[]): FakeTransport {
  const attempts: ClientCall[] = [];
  return {
    attempts,
    async invoke(call): Promise<Reply> {
      const outcome = outcomes[Math.min(attempts.length, outcomes.length - 1)];
      call.attempt.instance = String.fromCodePoint(97 + attempts.length);
      attempts.push(call);
      if (outcome === 'answer' || outcome === undefined) return answer();
      throw outcome;
    },
  };
}
