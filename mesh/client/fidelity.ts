import type { Message } from '@bufbuild/protobuf';

import { MeshError } from '#kit';

import { type ClientCall, type Invoke, isStream, streamOf } from '../call.ts';
import type { Method } from '../method.ts';
import { decodeAnswer, decodeRequest, encodeAnswer } from '../messages.ts';
import { fromMetadata } from '../headers.ts';
import { encodeHeaders, encodeMessage } from './encode-call.ts';

/**
 * Makes a local transport as strict as the wire: request headers, requests and answers become
 * bytes at the border and are read again behind it; what a handler sets as headers and trailers
 * is as strict without it. What only works because both sides share
 * memory (a message that is kept and changed, a value that has no bytes, a message over
 * the limit) then shows in a monolith as it would between processes.
 */
export function fidelity(transport: Invoke<ClientCall>): Invoke<ClientCall> {
  return async (call) => {
    const { method, request } = call;
    const headers = fromMetadata(encodeHeaders(call));
    const reply = await transport({ ...call, headers, request: isStream(request) ? sent(method, request) : sentCopy(method, request) });
    return isStream(reply) ? copied(method, reply) : copyOf(method, reply);
  };
}

async function* sent(method: Method, requests: AsyncIterable<Message>): AsyncIterable<Message> {
  for await (const request of requests) yield sentCopy(method, request);
}

function sentCopy(method: Method, request: Message): Message {
  const copy = decodeRequest(method.desc, encodeMessage(method, request));
  if (copy instanceof MeshError) throw copy;
  return copy;
}

/** Each message as it is pulled. One that cannot cross ends the call on both sides. */
function copied(method: Method, stream: AsyncIterable<Message>): AsyncIterable<Message> {
  const source = stream[Symbol.asyncIterator]();
  const leave = async (): Promise<void> => void (await source.return?.());
  async function next(): Promise<IteratorResult<Message>> {
    const step = await source.next();
    if (step.done) return step;
    try {
      return { done: false, value: copyOf(method, step.value) };
    } catch (thrown) {
      await leave();
      throw thrown;
    }
  }
  return streamOf(next, leave);
}

function copyOf(method: Method, answer: Message): Message {
  return decodeAnswer(method.desc, encodeAnswer(method, answer));
}
