import { type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';

import { type MeshError, refusal } from '#kit';

import type { Method } from './method.ts';

/** Largest request and answer. grpc-js itself stops at four times that, for what it must buffer first. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** A request as it came off the wire: decoded, or the reason why it could not be. */
export type Decoded = Message | MeshError;

/** A request's bytes. Throws when it holds a value that its contract has no bytes for. */
export function encodeRequest(desc: DescMethod, request: Message): Buffer {
  return asBuffer(toBinary(desc.input, request));
}

/** Never throws: grpc-js would answer with a status that has no reason in it. */
export function decodeRequest(desc: DescMethod, bytes: Buffer): Decoded {
  if (bytes.length > MAX_MESSAGE_BYTES) {
    return refusal('MESSAGE_TOO_LARGE', `the request has ${bytes.length} bytes, at most ${MAX_MESSAGE_BYTES} are taken; send less at once`);
  }
  try {
    return fromBinary(desc.input, bytes);
  } catch (cause) {
    return refusal('INVALID_ARGUMENT', `the bytes are no ${desc.input.typeName}; use the same contract as the server`, { cause });
  }
}

/**
 * An answer's bytes, as they are now: grpc-js would make them when its buffer empties, from a
 * message that its handler may have changed by then. MESSAGE_TOO_LARGE; INTERNAL, naming
 * the field, when the answer holds a value that its contract has no bytes for.
 */
export function encodeAnswer({ desc, fullName }: Method, answer: Message): Buffer {
  const bytes = written();
  if (bytes.length <= MAX_MESSAGE_BYTES) return bytes;
  throw refusal('MESSAGE_TOO_LARGE', `the answer has ${bytes.length} bytes, at most ${MAX_MESSAGE_BYTES} are sent; ask for less at once`);

  function written(): Buffer {
    try {
      return asBuffer(toBinary(desc.output, answer));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw refusal('INTERNAL', `the answer of ${fullName} cannot be written as its contract has it: ${why}`, { cause });
    }
  }
}

/** INTERNAL when the bytes are of another contract. */
export function decodeAnswer(desc: DescMethod, bytes: Buffer): Message {
  try {
    return fromBinary(desc.output, bytes);
  } catch (cause) {
    throw refusal('INTERNAL', 'the answer does not fit the contract; both sides must use the same version', { cause });
  }
}

/** grpc-js types messages as Buffer and only reads them: the array is handed over without a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
