import type { Message } from '@bufbuild/protobuf';
import { context, trace } from '@opentelemetry/api';

import { type Clock, type MeshError, refusal } from '#kit';

import { type Invoke, isStream, type Reply, type ServerCall, type ServerInterceptor, streamOf, whenDone } from '../call.ts';
import { withCallContext } from '../call-context.ts';
import { DEADLINE_LEFT_ATTRIBUTE } from '../deadline-left.ts';
import type { Method } from '../method.ts';

/** setTimeout's largest delay; a call with more time than that (24 days) needs no timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/**
 * How long after the deadline a stream that grpc-js ends at it is ended here too. Its way is to write the status behind what
 * it has not sent yet: of a stream whose reader has stopped, neither side would ever hear.
 */
const BEHIND_MS = 50;
/** grpc-js's timer may be this much early by the wall clock. */
const EARLY_MS = 2;

/**
 * Every call has a deadline here too: the caller's, else the contract's. The handler sees
 * it and the signal in its context, the calls it makes inherit both, and the caller is
 * answered at the deadline even when the handler does not listen.
 */
export function serverDeadline(clock: Clock): ServerInterceptor {
  return (next) => {
    const bounded = withinLifetime(next);
    return (call) => {
      const now = clock.now();
      if (call.deadline === Infinity) call.deadline = now + call.method.deadlineMs;
      const leftMs = call.deadline - now;
      if (leftMs !== Infinity) trace.getSpan(call.context)?.setAttribute(DEADLINE_LEFT_ATTRIBUTE, leftMs);
      if (leftMs <= 0) return Promise.reject(pastDeadline(call.method));
      call.context = withCallContext(call.context, call);
      const endMs = call.timed ? leftMs + BEHIND_MS : leftMs;
      if ((call.timed && !call.method.responseStreams) || endMs > MAX_TIMER_MS) return bounded(call);
      const timer = setTimeout(() => call.lifetime.end(pastDeadline(call.method)), endMs);
      return whenDone(bounded, call, () => clearTimeout(timer));
    };
  };
}

/** The refusal of a call whose time is spent. */
export function pastDeadline(method: Method): MeshError {
  return refusal('DEADLINE_EXCEEDED', `${method.fullName} had no time left; try again with the same request, or allow it more time`);
}

/** Why a call ended from outside. */
export function whyOver({ deadline, method }: Pick<ServerCall, 'deadline' | 'method'>, nowMs: number): MeshError {
  return nowMs + EARLY_MS < deadline ? refusal('CANCELLED', 'the caller went away') : pastDeadline(method);
}

/** Runs the rest of the chain inside the call's context, and answers with the reason as soon as the call's lifetime is over. */
function withinLifetime(next: Invoke<ServerCall>): Invoke<ServerCall> {
  return (call) =>
    new Promise<Reply>((resolve, reject) => {
      const { lifetime } = call;
      lifetime.onEnd(reject);
      if (lifetime.reason) return;
      context.with(call.context, next, undefined, call).then(
        (reply) => {
          lifetime.offEnd(reject);
          resolve(isStream(reply) ? boundStream(reply, call) : reply);
        },
        (thrown: unknown) => {
          lifetime.offEnd(reject);
          reject(thrown);
        },
      );
    });
}

/** Pulls the handler's stream inside the call's context: a generator's body runs in that of whoever pulls. */
function boundStream(stream: AsyncIterable<Message>, { context: base, lifetime }: ServerCall): AsyncIterable<Message> {
  const source = stream[Symbol.asyncIterator]();
  // Not awaited: a handler that ignores the signal must not hold the answer back.
  const leave = (): void => void context.with(base, async () => source.return?.()).catch(() => {});
  lifetime.onEnd(leave);
  return streamOf(
    () =>
      new Promise((resolve, reject) => {
        lifetime.onEnd(reject);
        if (lifetime.reason) return;
        context
          .with(base, () => source.next())
          .then(resolve, reject)
          .finally(() => lifetime.offEnd(reject));
      }),
    leave,
  );
}
