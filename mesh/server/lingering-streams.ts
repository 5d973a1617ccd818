import { constants, type ServerHttp2Stream } from 'node:http2';

import { type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';

/** How long a peer may take to close its stream once the call is over. */
const LINGER_MS = 500;

/** What a stream is to be reset with; undefined when nothing of it is left open. */
function resetCode(stream: ServerHttp2Stream): number | undefined {
  if (stream.closed) return undefined;
  // Answers that their reader does not take, with the status behind them.
  if (stream.sentTrailers === undefined && stream.writableLength > 0) return constants.NGHTTP2_CANCEL;
  // It was told the status and could still send: this code asks it not to (RFC 9113, 8.1).
  return stream.readableEnded ? undefined : constants.NGHTTP2_NO_ERROR;
}

/**
 * Resets the stream of a call that is over, when its peer neither reads it to its end nor closes it within half a second:
 * it would be held, with all that it was to hear, as long as its connection.
 */
export function resetLingering(stream: ServerHttp2Stream | undefined): void {
  if (!stream || resetCode(stream) === undefined) return;
  const reset = (): void => {
    const code = resetCode(stream);
    if (code !== undefined) stream.close(code);
  };
  setTimeout(reset, LINGER_MS).unref();
}

/** Ends a call whose status could not be sent: with a bare INTERNAL, or by a reset where grpc-js stopped half-way. */
export function breakOff(wire: ServerInterceptingCallInterface, stream: ServerHttp2Stream | undefined): void {
  wire.sendStatus({ code: status.INTERNAL, details: '', metadata: null });
  if (stream && !stream.headersSent) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
}
