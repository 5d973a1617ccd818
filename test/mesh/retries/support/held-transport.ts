import type { Message } from '@bufbuild/protobuf';

import { type MeshError, refusal } from '#kit';
import type { ClientCall, Invoke } from '#mesh';

import { onAbort } from '../../../../mesh/call.ts';
import { answer } from './calls.ts';

/** An attempt that ends when a test says so, or when it is cancelled. */
export interface HeldAttempt {
  readonly call: ClientCall;
  answer(message?: Message): void;
  fail(error: MeshError): void;
  cancelled(): boolean;
}

export interface HeldTransport {
  readonly invoke: Invoke<ClientCall>;
  /** Number `index` of the attempts so far, from 0. */
  attempt(index: number): HeldAttempt;
  count(): number;
}

/** Picks the instances `a`, `b`, `c` … in turn. */
export function heldTransport(): HeldTransport {
  const attempts: HeldAttempt[] = [];
  return {
    invoke(call) {
      const { promise, resolve, reject } = Promise.withResolvers<Message>();
      let cancelled = false;
      const stopListening = onAbort(call.signals, () => {
        cancelled = true;
        reject(refusal('CANCELLED', 'the caller went away'));
      });
      call.attempt.instance = String.fromCodePoint(97 + attempts.length);
      attempts.push({ call, answer: (message = answer()) => resolve(message), fail: reject, cancelled: () => cancelled });
      return promise.finally(stopListening);
    },
    attempt(index) {
      const found = attempts[index];
      if (!found) throw new Error(`attempt ${index} was not sent; there are ${attempts.length}`);
      return found;
    },
    count: () => attempts.length,
  };
}
