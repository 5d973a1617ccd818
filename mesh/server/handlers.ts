import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  Message,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';

import { type Incoming, type Invoke, type ServerCall, streamOf } from '../call.ts';
import type { CallContext } from '../call-context.ts';
import type { Method } from '../method.ts';
import { boundRequests } from './bound-requests.ts';

/** A service's implementation: one function for each method of its contract. */
export type Handlers<S extends DescService> = {
  readonly [M in keyof S['method']]: S['method'][M] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, call: CallContext) => Promise<MessageInitShape<O>>
    : S['method'][M] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, call: CallContext) => AsyncIterable<MessageInitShape<O>>
      : S['method'][M] extends DescMethodClientStreaming<infer I, infer O>
        ? (requests: AsyncIterable<MessageShape<I>>, call: CallContext) => Promise<MessageInitShape<O>>
        : S['method'][M] extends DescMethodBiDiStreaming<infer I, infer O>
          ? (requests: AsyncIterable<MessageShape<I>>, call: CallContext) => AsyncIterable<MessageInitShape<O>>
          : never;
};

type OneAnswer = (request: Incoming, call: CallContext) => Promise<MessageInitShape<DescMessage>>;
type ManyAnswers = (request: Incoming, call: CallContext) => AsyncIterable<MessageInitShape<DescMessage>>;

/** The innermost link of a method's server chain: the handler, and its answers made messages, and bytes where they need to be. */
export function handlerLink<S extends DescService>(method: Method, handlers: Handlers<S>): Invoke<ServerCall> {
  // Handlers<S> has a function of the right kind under every method's local name.
  const handler = (handlers as Record<string, unknown>)[method.desc.localName];
  const { output } = method.desc;
  const link: Invoke<ServerCall> = method.responseStreams
    ? async (call) => messages(output, (handler as ManyAnswers)(call.request, call), call)
    : async (call) => sealed(create(output, await (handler as OneAnswer)(call.request, call)), call);
  return method.requestStreams ? boundRequests(link) : link;
}

function messages(output: DescMessage, inits: AsyncIterable<MessageInitShape<DescMessage>>, call: ServerCall): AsyncIterable<Message> {
  const source = inits[Symbol.asyncIterator]();
  const leave = async (): Promise<void> => void (await source.return?.());
  async function next(): Promise<IteratorResult<Message>> {
    const step = await source.next();
    if (step.done) return { done: true, value: undefined };
    try {
      return { done: false, value: sealed(create(output, step.value), call) };
    } catch (thrown) {
      await leave();
      throw thrown;
    }
  }
  return streamOf(next, leave);
}

function sealed(answer: Message, call: ServerCall): Message {
  call.seal?.(answer);
  return answer;
}
