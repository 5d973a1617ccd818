import * as grpc from '@grpc/grpc-js';

import { connectGrpcJs, serveGrpcJs } from './grpc-js-calls.ts';
import type { Peer } from './peer.ts';

/** grpc-js alone, with its own client and its default settings. */
export const grpcJsPeer: Peer = {
  serve: () => serveGrpcJs(grpc),
  connect: async (port) => connectGrpcJs(grpc, port),
};
