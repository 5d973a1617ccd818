import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';

import { status } from '@grpc/grpc-js';

/** What RFC 9113, 6.5.2 adds for each header. */
const OVERHEAD_BYTES = 32;

/** Size of a call's headers. Header values are ASCII: a character is a byte. */
export function metadataBytes(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string') bytes += OVERHEAD_BYTES + name.length + value.length;
    else for (const one of value ?? []) bytes += OVERHEAD_BYTES + name.length + one.length;
  }
  return bytes;
}

/** Answers RESOURCE_EXHAUSTED before grpc-js copies the headers, and closes the call. */
export function refuseMetadata(stream: ServerHttp2Stream, bytes: number, maxBytes: number): void {
  stream.respond(
    {
      'content-type': 'application/grpc+proto',
      'grpc-status': status.RESOURCE_EXHAUSTED,
      'grpc-message': `the metadata has ${bytes} bytes, at most ${maxBytes} are taken; send less of it`,
    },
    { endStream: true },
  );
  stream.close();
}
