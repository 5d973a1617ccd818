import { createChannel, createClient, createServer } from 'nice-grpc';

import type { GetUserRequest } from '#proto/shop/user/v1/user_pb.js';

import type { Peer } from './peer.ts';
import { answerTo, getUserMethod } from './user.ts';

const service = { getUser: { ...getUserMethod, requestStream: false, responseStream: false, options: {} } } as const;

/** nice-grpc on both sides, as it comes: no middleware, and no deadline, for which it would need one. */
export const niceGrpcPeer: Peer = {
  async serve() {
    const server = createServer();
    server.add(service, { getUser: async (request: GetUserRequest) => answerTo(request) });
    return { port: await server.listen('127.0.0.1:0'), settle: async () => {} };
  },
  async connect(port) {
    const client = createClient(service, createChannel(`127.0.0.1:${port}`));
    return { call: (request) => client.getUser(request), settle: async () => {} };
  },
};
