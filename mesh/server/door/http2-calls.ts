import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';

/** Hears of every HTTP/2 call to this process, also of those to other servers in it. */
export interface Http2CallListener {
  /** Headers came in; grpc-js has not seen the call yet, and leaves it alone once its stream is closed. */
  onCreated(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
  onClosed(stream: ServerHttp2Stream): void;
}

/** Resets a call. All that the door resets goes this way: what remains is the peer's doing. */
export type EndCall = (stream: ServerHttp2Stream, code: number) => void;

/** Listens by way of Node's diagnostics channels: grpc-js shows neither the sessions nor the streams it serves. Returns how to stop. */
export function listenToHttp2Calls({ onCreated, onClosed }: Http2CallListener): () => void {
  // The shapes of both messages are documented: https://nodejs.org/api/diagnostics_channel.html#http2
  const created = (message: unknown): void => {
    const { stream, headers } = message as { stream: ServerHttp2Stream; headers: IncomingHttpHeaders };
    onCreated(stream, headers);
  };
  const closed = (message: unknown): void => onClosed((message as { stream: ServerHttp2Stream }).stream);
  subscribe('http2.server.stream.created', created);
  subscribe('http2.server.stream.close', closed);
  return () => {
    unsubscribe('http2.server.stream.created', created);
    unsubscribe('http2.server.stream.close', closed);
  };
}
