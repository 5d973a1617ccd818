import { constants, type ServerHttp2Stream } from 'node:http2';

/** Compressed requests that may be inflating. */
export interface CompressedRequests {
  /** Takes one more, or refuses it; false when it did. */
  admit(stream: ServerHttp2Stream): boolean;
  delete(stream: ServerHttp2Stream): void;
}

/**
 * grpc-js stops inflating a message at the limit of message sizes, but inflates any number of them side by side. Refused
 * with REFUSED_STREAM, which promises that nothing was done (RFC 9113, 8.7): gRPC clients try again.
 */
export function createCompressedRequests(max: number): CompressedRequests {
  const inflating = new Set<ServerHttp2Stream>();

  function forgetAnswered(): void {
    for (const stream of inflating) if (stream.destroyed || stream.headersSent) inflating.delete(stream);
  }

  return {
    admit(stream) {
      if (inflating.size >= max) forgetAnswered();
      if (inflating.size >= max) {
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
        return false;
      }
      inflating.add(stream);
      return true;
    },
    delete: (stream) => void inflating.delete(stream),
  };
}
