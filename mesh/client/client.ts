import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { context } from '@opentelemetry/api';

import { type ClientCall, type Invoke, isStream } from '../call.ts';
import { describeMethod, type Method } from '../method.ts';

/** What a caller may set on one call. */
export interface CallOptions {
  /** Milliseconds from now; the contract's deadline when left out. Never longer than what the caller's own call has left. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** By lower-case name, as gRPC has them. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A typed stub: one function for each unary and server-streaming method. Errors are MeshError. */
export type Client<S extends DescService> = {
  readonly [M in keyof S['method']]: S['method'][M] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : S['method'][M] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : never;
};

/** Builds the stub of a contract. `invokeOf` is asked once for each method and returns its composed chain. */
export function createClient<S extends DescService>(service: S, invokeOf: (method: Method) => Invoke<ClientCall>): Client<S> {
  const stub: Record<string, unknown> = {};
  for (const desc of service.methods) {
    const method = describeMethod(desc);
    stub[desc.localName] = stubOf(desc, method, invokeOf(method));
  }
  // Built from the same descriptor that the type is computed from.
  return stub as Client<S>;
}

function stubOf(desc: DescMethod, method: Method, invoke: Invoke<ClientCall>): unknown {
  switch (desc.methodKind) {
    case 'unary':
      return (init: MessageInitShape<DescMessage>, options?: CallOptions) => invoke(newCall(method, init, options));
    case 'server_streaming':
      return (init: MessageInitShape<DescMessage>, options?: CallOptions) => stream(invoke, newCall(method, init, options));
    default:
      return () => Promise.reject(new Error(`${method.fullName}: ${desc.methodKind} methods are not part of the typed runtime`));
  }
}

function newCall(method: Method, init: MessageInitShape<DescMessage>, options: CallOptions = {}): ClientCall {
  return {
    method,
    request: create(method.desc.input, init),
    headers: { ...options.headers },
    timeoutMs: options.deadlineMs ?? Infinity,
    deadline: Infinity,
    signals: options.signal ? [options.signal] : [],
    context: context.active(),
  };
}

async function* stream(invoke: Invoke<ClientCall>, call: ClientCall): AsyncIterable<Message> {
  const reply = await invoke(call);
  if (isStream(reply)) yield* reply;
}
