import type { Message } from '@bufbuild/protobuf';
import type { Metadata } from '@grpc/grpc-js';

import { MeshError } from '#kit';

import { type ClientCall, type Headers, type Invoke, isStream, streamOf } from '../call.ts';
import type { Method } from '../method.ts';
import { decodeAnswer, decodeRequest, encodeAnswer } from '../messages.ts';
import { encodeCall } from './encode-call.ts';

/**
 * Makes a local transport as strict as the wire: headers, requests and answers become bytes
 * at the border and are read again behind it. What only works because both sides share
 * memory (a message that is kept and changed, a value that has no bytes, a message over
 * the limit) then shows in a monolith as it would between processes.
 */
export function fidelity(transport: Invoke<ClientCall>): Invoke<ClientCall> {
  return async (call) => {
    const { metadata, message } = encodeCall(call);
    const request = decodeRequest(call.method.desc, message);
    if (request instanceof MeshError) throw request;
    const reply = await transport({ ...call, request, headers: headersOf(metadata) });
    return isStream(reply) ? copied(call.method, reply) : copyOf(call.method, reply);
  };
}

function headersOf(metadata: Metadata): Headers {
  // encodeCall sets strings alone; grpc-js refuses those under names that are for bytes.
  return metadata.getMap() as Headers;
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
