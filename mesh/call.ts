import type { Message } from '@bufbuild/protobuf';
import type { Context } from '@opentelemetry/api';

import { MeshError } from '#kit';

import type { Method } from './method.ts';

/** Request headers by lower-case name. */
export type Headers = Record<string, string>;

/** One call on its way out, as the client chain sees it. */
export interface ClientCall {
  readonly method: Method;
  readonly request: Message;
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
}

/** One call on its way in, as the server chain sees it. */
export interface ServerCall {
  readonly method: Method;
  readonly request: Message;
  header(name: string): string | undefined;
  /** Milliseconds since the epoch; Infinity when the caller set none, until the deadline interceptor saw it. */
  deadline: number;
  /** Aborted, with a MeshError as its reason, when the caller went away or the deadline passed. */
  readonly lifetime: AbortController;
  context: Context;
}

/** The answer of a unary call, or the stream of answers of a server-streaming one. */
export type Reply = Message | AsyncIterable<Message>;

/** One way to carry a call out: the rest of the chain. */
export type Invoke<Call> = (call: Call) => Promise<Reply>;

/** One concern of every call, wrapped around the rest of the chain. Composed once for each method. */
export type Interceptor<Call> = (next: Invoke<Call>) => Invoke<Call>;

export type ClientInterceptor = Interceptor<ClientCall>;
export type ServerInterceptor = Interceptor<ServerCall>;

export function isStream(reply: Reply): reply is AsyncIterable<Message> {
  return Symbol.asyncIterator in reply;
}

/** Is told that a call is over. It gets the call too, so that one function can serve every call. */
export type Done<Call> = (error: MeshError | undefined, call: Call) => void;

/**
 * Runs `invoke` and calls `done` once the call is over: after a unary answer, after a stream's
 * last message or when its reader stops, or with the error, which is a MeshError from here on.
 */
export async function whenDone<Call>(invoke: Invoke<Call>, call: Call, done: Done<Call>): Promise<Reply> {
  let reply: Reply;
  try {
    reply = await invoke(call);
  } catch (thrown) {
    const error = MeshError.from(thrown);
    done(error, call);
    throw error;
  }
  if (isStream(reply)) return watchStream(reply, (error) => done(error, call));
  done(undefined, call);
  return reply;
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
