import type { Message } from '@bufbuild/protobuf';
import { context } from '@opentelemetry/api';

import { type Clock, type MeshError, refusal } from '#kit';

import { type Invoke, isStream, type ServerCall, type ServerInterceptor, streamOf, whenDone } from '../call.ts';
import { withCallContext } from '../call-context.ts';
import type { Method } from '../method.ts';

/** setTimeout's largest delay; a call with more time than that (24 days) needs no timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Every call has a deadline here too: the caller's, else the contract's. The handler sees
 * it and the signal in its context, the calls it makes inherit both, and the caller is
 * answered at the deadline even when the handler does not listen.
 */
export function serverDeadline(clock: Clock): ServerInterceptor {
  return (next) => {
    const bounded = withinLifetime(next);
    return async (call) => {
      const now = clock.now();
      if (call.deadline === Infinity) call.deadline = now + call.method.deadlineMs;
      const leftMs = call.deadline - now;
      if (leftMs <= 0) throw pastDeadline(call.method);
      const { lifetime } = call;
      const timer = leftMs < MAX_TIMER_MS ? setTimeout(() => lifetime.abort(pastDeadline(call.method)), leftMs) : undefined;
      call.context = withCallContext(call.context, { deadline: call.deadline, signal: lifetime.signal });
      return whenDone(bounded, call, () => clearTimeout(timer));
    };
  };
}

/** The refusal of a call whose time is spent. */
export function pastDeadline(method: Method): MeshError {
  return refusal('DEADLINE_EXCEEDED', `${method.fullName} had no time left; try again with the same request, or allow it more time`);
}

/** Runs the rest of the chain inside the call's context, and answers with the reason as soon as the call's lifetime is over. */
function withinLifetime(next: Invoke<ServerCall>): Invoke<ServerCall> {
  return async (call) => {
    const { signal } = call.lifetime;
    signal.throwIfAborted();
    const reply = await orAborted(context.with(call.context, next, undefined, call), signal);
    return isStream(reply) ? boundStream(reply, call) : reply;
  };
}

/** Pulls the handler's stream inside the call's context: a generator's body runs in that of whoever pulls. */
function boundStream(stream: AsyncIterable<Message>, { context: base, lifetime: { signal } }: ServerCall): AsyncIterable<Message> {
  const source = stream[Symbol.asyncIterator]();
  // Not awaited: a handler that ignores the signal must not hold the answer back.
  const leave = (): void => void context.with(base, async () => source.return?.()).catch(() => {});
  signal.addEventListener('abort', leave, { once: true });
  return streamOf(
    async () => {
      signal.throwIfAborted();
      return orAborted(context.with(base, () => source.next()), signal);
    },
    leave,
  );
}

/** The promise, or the signal's reason if that comes first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    void promise.then(resolve, reject).then(() => signal.removeEventListener('abort', abort));
  });
}
