import type { Message } from '@bufbuild/protobuf';

import { MeshError } from '#kit';

import { type ClientCall, type ClientInterceptor, streamOf } from '../call.ts';
import { type Begun, firstMessage } from './first-message.ts';
import { firstAttempt, nextAttempt } from './next-attempt.ts';
import { pause } from './pause.ts';
import { noteBudgetSpent, noteRefused, noteRetry } from './resend-events.ts';
import type { ResendOptions } from './resend-options.ts';
import { isRefusedHere, retryPauseMs } from './retry-pause.ts';

/**
 * Sends a call of one method again when that may mend it: at most three attempts in all, with pauses of up to 25 and
 * 50 ms, each to another instance where there is one, within the call's deadline and the destination's budget.
 *
 * Which failures: any that the server marks as not started, of every method; UNAVAILABLE (`codes`), an attempt's own
 * timeout and those the server marks as to be tried later, of methods that may be called twice. How long the server
 * wants to be left alone counts as part of the pause. When the next attempt would not leave before the deadline, the
 * call fails at once with what the last one said.
 *
 * A stream of answers is begun again until its first message is there, for which an attempt's own timeout is; a stream
 * of requests never, for it is gone. Calls that may be tried again pay into the budget, unless they were refused here.
 */
export function retries(options: ResendOptions): ClientInterceptor {
  const { policy } = options;
  return (next) => {
    const answer = trying(options, next);
    const begin = trying(options, firstMessage(next, options));
    return (call) => {
      if (!policy.current.retries.enabled) return next(call);
      switch (call.method.desc.methodKind) {
        case 'unary':
          return answer(call);
        case 'server_streaming':
          return Promise.resolve(begunWhenRead(call, begin));
        default:
          return next(call);
      }
    };
  };
}

/** Sends one attempt of a call; what it resolves with ends the trying. */
type Send<T> = (attempt: ClientCall, call: ClientCall) => Promise<T>;

/** A call without failures pays for one `catch` and nothing else. */
function trying<T>(options: ResendOptions, send: Send<T>): (call: ClientCall) => Promise<T> {
  return (call) => {
    options.budget.deposit();
    const first = firstAttempt(call, options.policy.current.retries.perTryTimeoutMs, options.clock);
    return send(first, call).catch((thrown: unknown) => tryAgain(call, first, MeshError.from(thrown), options, send));
  };
}

async function tryAgain<T>(call: ClientCall, first: ClientCall, why: MeshError, options: ResendOptions, send: Send<T>): Promise<T> {
  const { policy, budget, clock, random, counts } = options;
  let attempt = first;
  let error = why;
  if (isRefusedHere(first, error)) budget.revoke();
  while (true) {
    const attempts = attempt.attempt.number;
    const { retries: rules } = policy.current;
    const pauseMs = retryPauseMs({ call, attempt, error, attempts }, rules, clock.now(), random);
    if (pauseMs === undefined) throw error;
    if (!budget.tryWithdraw()) {
      counts.refusedByBudget += 1;
      noteBudgetSpent(call);
      throw error;
    }
    counts.retries += 1;
    noteRetry(call, attempt, error, attempts + 1, pauseMs);
    await pause(pauseMs, call, clock);
    attempt = nextAttempt(call, attempt, rules.perTryTimeoutMs, clock);
    try {
      return await send(attempt, call);
    } catch (thrown) {
      const next = MeshError.from(thrown);
      if (isRefusedHere(attempt, next)) {
        budget.refund();
        noteRefused(call, next);
        throw error;
      }
      error = next;
    }
  }
}

/** Begins with the first pull, so that a reader who never pulls leaves nothing behind; one who leaves before the first message ends the trying. */
function begunWhenRead(call: ClientCall, begin: (call: ClientCall) => Promise<Begun>): AsyncIterable<Message> {
  const left = new AbortController();
  let begun: Promise<Begun> | undefined;
  let rest: AsyncIterator<Message> | undefined;
  async function first(): Promise<IteratorResult<Message>> {
    begun = begin({ ...call, signals: [...call.signals, left.signal] });
    const { first: step, rest: following } = await begun;
    rest = following;
    return step;
  }
  return streamOf(
    () => rest?.next() ?? begun?.then(({ rest: following }) => following.next()) ?? first(),
    async () => {
      if (rest) await rest.return?.();
      else left.abort();
    },
  );
}
