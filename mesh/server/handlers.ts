import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  Message,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';

import type { Invoke, ServerCall } from '../call.ts';
import type { CallContext } from '../call-context.ts';
import type { Method } from '../method.ts';

/** A service's implementation: one function for each unary and server-streaming method of its contract. */
export type Handlers<S extends DescService> = {
  readonly [M in keyof S['method']]: S['method'][M] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, call: CallContext) => Promise<MessageInitShape<O>>
    : S['method'][M] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, call: CallContext) => AsyncIterable<MessageInitShape<O>>
      : never;
};

type UnaryHandler = (request: Message, call: CallContext) => Promise<MessageInitShape<DescMessage>>;
type StreamHandler = (request: Message, call: CallContext) => AsyncIterable<MessageInitShape<DescMessage>>;

/** The innermost link of a method's server chain: the handler, and its answer made a message. */
export function handlerLink<S extends DescService>(method: Method, handlers: Handlers<S>): Invoke<ServerCall> {
  // Handlers<S> has a function of the right kind under every method's local name.
  const handler = (handlers as Record<string, unknown>)[method.desc.localName];
  const { output, methodKind } = method.desc;
  if (methodKind === 'unary') {
    return async (call) => create(output, await (handler as UnaryHandler)(call.request, contextOf(call)));
  }
  return async (call) => messages(output, (handler as StreamHandler)(call.request, contextOf(call)));
}

function contextOf(call: ServerCall): CallContext {
  return { deadline: call.deadline, signal: call.lifetime.signal };
}

async function* messages(output: DescMessage, inits: AsyncIterable<MessageInitShape<DescMessage>>): AsyncIterable<Message> {
  for await (const init of inits) yield create(output, init);
}
