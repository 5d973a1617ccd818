import type { Message } from '@bufbuild/protobuf';
import { type Context, context } from '@opentelemetry/api';

import { type Clock, refusal } from '#kit';

import { isStream, type ServerCall, type ServerInterceptor } from '../call.ts';
import { withCallContext } from '../call-context.ts';

/** setTimeout's largest delay; a call with more time than that (24 days) needs no timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Every call has a deadline here too: the caller's, else the contract's. The handler sees
 * it and the signal in its context, the calls it makes inherit both, and the caller is
 * answered at the deadline even when the handler does not listen.
 */
export function serverDeadline(clock: Clock): ServerInterceptor {
  return (next) => async (call) => {
    const now = clock.now();
    if (call.deadline === Infinity) call.deadline = now + call.method.deadlineMs;
    const leftMs = call.deadline - now;
    if (leftMs <= 0) throw pastDeadline(call);
    const timer = leftMs < MAX_TIMER_MS ? setTimeout(() => call.lifetime.abort(pastDeadline(call)), leftMs) : undefined;
    const { signal } = call.lifetime;
    call.context = withCallContext(call.context, { deadline: call.deadline, signal });
    try {
      const reply = await orAborted(context.with(call.context, () => next(call)), signal);
      if (!isStream(reply)) {
        clearTimeout(timer);
        return reply;
      }
      return boundStream(reply, call.context, signal, timer);
    } catch (thrown) {
      clearTimeout(timer);
      throw thrown;
    }
  };
}

/** The promise, or the signal's reason if that comes first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Pulls the handler's stream inside the call's context (a generator's body runs in that of whoever pulls) and under its deadline. */
async function* boundStream(
  stream: AsyncIterable<Message>,
  base: Context,
  signal: AbortSignal,
  timer: NodeJS.Timeout | undefined,
): AsyncIterable<Message> {
  const iterator = stream[Symbol.asyncIterator]();
  try {
    while (true) {
      const step = await orAborted(context.with(base, () => iterator.next()), signal);
      if (step.done) return;
      yield step.value;
    }
  } finally {
    clearTimeout(timer);
    // Not awaited: a handler that ignores the signal must not hold the answer back.
    void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

function pastDeadline(call: ServerCall): Error {
  return refusal('DEADLINE_EXCEEDED', `${call.method.fullName} had no time left; try again with the same request, or allow it more time`);
}
