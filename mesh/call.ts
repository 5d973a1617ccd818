import type { Message } from '@bufbuild/protobuf';
import type { Context } from '@opentelemetry/api';

import { MeshError } from '#kit';

import type { CallContext } from './call-context.ts';
import type { Attempt } from './client/attempt.ts';
import type { Headers } from './headers.ts';
import type { Effect } from './idempotency/effect.ts';
import type { AccessToken } from './identity/access-token.ts';
import type { Ownership } from './identity/ownership.ts';
import type { Lifetime } from './lifetime.ts';
import type { Method } from './method.ts';

/** What a caller sends: one message, or a stream of them. */
export type Outgoing = Message | AsyncIterable<Message>;

/** One call on its way out, as the client chain sees it. */
export interface ClientCall {
  readonly method: Method;
  /** Registry name of the service whose stub made it; empty in a process that is none. */
  readonly caller: string;
  readonly request: Outgoing;
  /** Interceptors add to it; becomes gRPC metadata on the wire. */
  readonly headers: Headers;
  /** How long the caller would wait; Infinity when it did not say. */
  readonly timeoutMs: number;
  /** Milliseconds since the epoch; set by the deadline interceptor. */
  deadline: number;
  /** Any of them aborts when whoever asked no longer wants the answer. Not one signal of `AbortSignal.any`: that costs 6 us and 1 KB a call. */
  readonly signals: AbortSignal[];
  /** The trace context and call context this call belongs to. */
  context: Context;
  /** Which try of the call this is. Retries and hedges send copies of the call with attempts of their own. */
  readonly attempt: Attempt;
  /** What the caller wants to know beyond the answer. They hear each attempt, the deciding one last. */
  readonly onHeaders?: ((headers: Headers) => void) | undefined;
  readonly onTrailers?: ((trailers: Headers) => void) | undefined;
}

/** What came in: a message, why its bytes are none, or a stream of messages that fails when bytes are none. */
export type Incoming = Message | MeshError | AsyncIterable<Message>;

/** One call on its way in, as the server chain sees it; its handler sees what the call context has of it. */
export interface ServerCall extends CallContext {
  readonly method: Method;
  /** Validation refuses an error, so that such calls are traced and counted too; behind it stands what the contract says. */
  request: Incoming;
  /** Milliseconds since the epoch; Infinity when the caller set none, until the deadline interceptor saw it. */
  deadline: number;
  /** Whether the transport ends the lifetime at `deadline`; else the deadline interceptor does. */
  readonly timed: boolean;
  /** Whether its caller shares this process: a late turn of the event loop is that one's own doing. */
  readonly local: boolean;
  /** Ends, with a MeshError as its reason, when the caller went away or the deadline passed. */
  readonly lifetime: Lifetime;
  /** Set by the idempotency interceptor. */
  effect?: Effect | undefined;
  /** Set by authorization, once the token is verified. */
  user?: AccessToken | undefined;
  /** Set by authorization, where the owner is the handler's to find out. */
  ownership?: Ownership | undefined;
  context: Context;
  /** Makes an answer's bytes, where it needs any. The chain's last link calls it, so that an answer that cannot be written is a failure like others. */
  readonly seal?: ((answer: Message) => void) | undefined;
}

/** The answer of a unary call, or the stream of answers of a server-streaming one. */
export type Reply = Message | AsyncIterable<Message>;

/** One way to carry a call out: the rest of the chain. It rejects, and never throws: links are plain functions, for an async one costs a promise. */
export type Invoke<Call> = (call: Call) => Promise<Reply>;

/** One concern of every call, wrapped around the rest of the chain. Composed once for each method. */
export type Interceptor<Call> = (next: Invoke<Call>) => Invoke<Call>;

export type ClientInterceptor = Interceptor<ClientCall>;
export type ServerInterceptor = Interceptor<ServerCall>;

export function isStream(given: object): given is AsyncIterable<Message> {
  return Symbol.asyncIterator in given;
}

/** Is told that a call is over. It gets the call too, so that one function can serve every call. */
export type Done<Call> = (error: MeshError | undefined, call: Call) => void;

/**
 * Runs `invoke` and calls `done` once the call is over: after a unary answer, after a stream's
 * last message or when its reader stops, or with the error, which is a MeshError from here on.
 */
export function whenDone<Call>(invoke: Invoke<Call>, call: Call, done: Done<Call>): Promise<Reply> {
  return invoke(call).then(
    (reply) => {
      if (isStream(reply)) return watchStream(reply, (error) => done(error, call));
      done(undefined, call);
      return reply;
    },
    (thrown: unknown) => {
      const error = MeshError.from(thrown);
      done(error, call);
      throw error;
    },
  );
}

function watchStream(stream: AsyncIterable<Message>, done: (error?: MeshError) => void): AsyncIterable<Message> {
  const source = stream[Symbol.asyncIterator]();
  let over = false;
  const end = (error?: MeshError): void => {
    if (!over) done(error);
    over = true;
  };
  async function next(): Promise<IteratorResult<Message>> {
    try {
      const step = await source.next();
      if (step.done) end();
      return step;
    } catch (thrown) {
      const error = MeshError.from(thrown);
      end(error);
      throw error;
    }
  }
  return streamOf(next, async () => {
    await source.return?.();
    end();
  });
}

/** A stream in two functions: pull, and the reader stops. Unlike a generator it hears of a reader that stops before it began. */
export function streamOf(next: () => Promise<IteratorResult<Message>>, leave: () => Promise<void> | void): AsyncIterable<Message> {
  const iterator: AsyncIterableIterator<Message> = {
    next,
    async return() {
      await leave();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

/** Calls `cancel` when one of the signals aborts, also when one has already. Returns how to stop listening. */
export function onAbort(signals: readonly AbortSignal[], cancel: () => void): () => void {
  for (const signal of signals) signal.addEventListener('abort', cancel, { once: true });
  if (signals.some(({ aborted }) => aborted)) cancel();
  return () => {
    for (const signal of signals) signal.removeEventListener('abort', cancel);
  };
}
