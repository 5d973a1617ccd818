import { constants, type ServerHttp2Stream } from 'node:http2';

import type { EndCall } from './http2-calls.ts';

/** Compressed requests that may be inflating. */
export interface CompressedRequests {
  /** Takes one more, or refuses it; false when it did. */
  admit(stream: ServerHttp2Stream): boolean;
  delete(stream: ServerHttp2Stream): void;
}

/**
 * grpc-js stops inflating a message at the limit of message sizes, but inflates any number of them side by side, also on a
 * stream whose answers have begun. Refused with REFUSED_STREAM, which promises that nothing was done (RFC 9113, 8.7): gRPC
 * clients try again.
 */
export function createCompressedRequests(max: number, end: EndCall): CompressedRequests {
  const inflating = new Set<ServerHttp2Stream>();

  function forgetAnswered(): void {
    for (const stream of inflating) if (stream.destroyed || stream.writableEnded) inflating.delete(stream);
  }

  return {
    admit(stream) {
      if (inflating.size >= max) forgetAnswered();
      if (inflating.size >= max) {
        end(stream, constants.NGHTTP2_REFUSED_STREAM);
        return false;
      }
      inflating.add(stream);
      return true;
    },
    delete: (stream) => void inflating.delete(stream),
  };
}
