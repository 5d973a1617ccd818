import { create, type DescMessage, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';

const LENGTH_BYTES = 4;

/** Messages as the suite's runner writes them to the programs it tests: four bytes of length, big-endian, then the bytes. */
export async function* readMessages<D extends DescMessage>(schema: D, input: AsyncIterable<Buffer>): AsyncIterable<MessageShape<D>> {
  let read = Buffer.alloc(0);
  for await (const chunk of input) {
    read = Buffer.concat([read, chunk]);
    while (read.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + read.readUInt32BE();
      if (read.length < end) break;
      yield fromBinary(schema, read.subarray(LENGTH_BYTES, end));
      read = read.subarray(end);
    }
  }
}

/** One message as the runner reads it. */
export function frame<D extends DescMessage>(schema: D, init: MessageInitShape<D>): Buffer {
  const bytes = toBinary(schema, create(schema, init));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
