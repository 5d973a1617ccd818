import {
  create,
  type DescMessage,
  type DescMethodBiDiStreaming,
  type DescMethodClientStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { context } from '@opentelemetry/api';

import type { ClientCall, Invoke, Outgoing } from '../call.ts';
import { type Headers, lowerCased } from '../headers.ts';
import { describeMethod, type Method } from '../method.ts';
import { readStream } from './read-stream.ts';

/** What a caller may set on one call. */
export interface CallOptions {
  /** Milliseconds from now; the contract's deadline when left out, and it may be longer than that. Never as long as what the call has left that is served here. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Names become lower-case, as gRPC has them. */
  readonly headers?: Readonly<Headers>;
  /** Hears the headers that came ahead of the answer. The call fails with what a callback throws. */
  readonly onHeaders?: (headers: Headers) => void;
  /** Hears what came behind the answer, or behind the error. */
  readonly onTrailers?: (trailers: Headers) => void;
}

/** What is sent as a stream: anything that can be iterated. */
export type Requests<I extends DescMessage> = AsyncIterable<MessageInitShape<I>>;

/** A typed stub: one function for each method. Errors are MeshError. */
export type Client<S extends DescService> = {
  readonly [M in keyof S['method']]: S['method'][M] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : S['method'][M] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : S['method'][M] extends DescMethodClientStreaming<infer I, infer O>
        ? (requests: Requests<I>, options?: CallOptions) => Promise<MessageShape<O>>
        : S['method'][M] extends DescMethodBiDiStreaming<infer I, infer O>
          ? (requests: Requests<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
          : never;
};

/** Builds a caller's stub of a contract. `invokeOf` is asked once for each method and returns its composed chain. */
export function createClient<S extends DescService>(service: S, caller: string, invokeOf: (method: Method) => Invoke<ClientCall>): Client<S> {
  const stub: Record<string, unknown> = {};
  for (const desc of service.methods) {
    const method = describeMethod(desc);
    stub[desc.localName] = stubOf(method, caller, invokeOf(method));
  }
  // Built from the same descriptor that the type is computed from.
  return stub as Client<S>;
}

type Init = MessageInitShape<DescMessage>;

function stubOf(method: Method, caller: string, invoke: Invoke<ClientCall>): unknown {
  const { input } = method.desc;
  const call = method.requestStreams
    ? (inits: AsyncIterable<Init>, options?: CallOptions) => newCall(method, caller, messages(input, inits), options)
    : (init: Init, options?: CallOptions) => newCall(method, caller, create(input, init), options);
  // Both take what their kind of method sends, which the type of the stub sees to.
  const begin = call as (request: unknown, options?: CallOptions) => ClientCall;
  if (method.responseStreams) return (request: unknown, options?: CallOptions) => readStream(invoke, begin(request, options));
  return (request: unknown, options?: CallOptions) => invoke(begin(request, options));
}

function newCall(method: Method, caller: string, request: Outgoing, options: CallOptions = {}): ClientCall {
  return {
    method,
    caller,
    request,
    headers: options.headers ? lowerCased(options.headers) : {},
    timeoutMs: options.deadlineMs ?? Infinity,
    deadline: Infinity,
    signals: options.signal ? [options.signal] : [],
    context: context.active(),
    attempt: { number: 1, avoid: NOBODY, stream: method.requestStreams || method.responseStreams, instance: undefined },
    onHeaders: options.onHeaders,
    onTrailers: options.onTrailers,
  };
}

const NOBODY: readonly string[] = [];

async function* messages(input: DescMessage, inits: AsyncIterable<Init>): AsyncIterable<Message> {
  for await (const init of inits) yield create(input, init);
}
