import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

import { errorCode, refusal } from '#kit';

const unzip = promisify(gunzip);

/**
 * A request's body, unzipped where it came zipped. Throws MESSAGE_TOO_LARGE as soon as more than `maxBytes` have come,
 * whatever the headers announced, and INVALID_ARGUMENT for what is not gzip.
 */
export async function readBody(incoming: Readable, isZipped: boolean, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    // A request without an encoding set on it gives buffers.
    chunks.push(chunk as Buffer);
    size += chunks.at(-1)?.length ?? 0;
    if (size > maxBytes) throw tooLarge(maxBytes);
  }
  const sent = Buffer.concat(chunks);
  return isZipped ? unzipped(sent, maxBytes) : sent;
}

async function unzipped(sent: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await unzip(sent, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (errorCode(cause) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw refusal('INVALID_ARGUMENT', 'the body is not gzip, though its content encoding says so', { cause });
  }
}

function tooLarge(maxBytes: number): Error {
  return refusal('MESSAGE_TOO_LARGE', `the body is larger than ${maxBytes} bytes; send smaller batches`);
}
