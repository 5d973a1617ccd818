import { subscribe } from 'node:diagnostics_channel';
import type { Http2Session, ServerHttp2Stream } from 'node:http2';

import * as grpc from '@grpc/grpc-js';

import { connectGrpcJs, serveGrpcJs } from './grpc-js-calls.ts';
import type { Peer } from './peer.ts';

/** As wide as ours. */
const WINDOW_BYTES = 4 * 1_024 * 1_024;

/** grpc-js alone with the flow-control windows that ours has: what is left of a difference is not theirs. */
export const grpcJsWidePeer: Peer = {
  serve() {
    widenServerWindows();
    return serveGrpcJs(grpc);
  },
  connect: async (port) => connectGrpcJs(grpc, port, undefined, { 'grpc-node.flow_control_window': WINDOW_BYTES }),
};

/** grpc-js has the option for clients only; a server's sessions are reached through their streams. */
function widenServerWindows(): void {
  const widened = new WeakSet<Http2Session>();
  subscribe('http2.server.stream.created', (message) => {
    // Source: Node's documentation of this channel.
    const { stream } = message as { readonly stream: ServerHttp2Stream };
    const { session } = stream;
    if (!session || widened.has(session)) return;
    widened.add(session);
    session.setLocalWindowSize(WINDOW_BYTES);
  });
}
