import type { Message } from '@bufbuild/protobuf';
import type { Context } from '@opentelemetry/api';

import type { Method } from './method.ts';

/** Request headers by lower-case name. */
export type Headers = Record<string, string>;

/** One call on its way out, as the client chain sees it. */
export interface ClientCall {
  readonly method: Method;
  readonly request: Message;
  /** Interceptors add to it; becomes gRPC metadata on the wire. */
  readonly headers: Headers;
  /** Milliseconds since the epoch; set by the deadline interceptor. */
  deadline: number;
  /** Aborts when whoever asked no longer wants the answer. */
  signal: AbortSignal | undefined;
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

/** Runs `invoke` and calls `done` once the call is over: after a unary answer, after a stream's last message, or at the error. */
export async function whenDone<Call>(invoke: Invoke<Call>, call: Call, done: (error: unknown) => void): Promise<Reply> {
  let reply: Reply;
  try {
    reply = await invoke(call);
  } catch (error) {
    done(error);
    throw error;
  }
  if (isStream(reply)) return watchStream(reply, done);
  done(undefined);
  return reply;
}

async function* watchStream(stream: AsyncIterable<Message>, done: (error: unknown) => void): AsyncIterable<Message> {
  let failure: unknown;
  try {
    yield* stream;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    done(failure);
  }
}
