import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';

import { createClient } from '@connectrpc/connect';
import { connectNodeAdapter, createGrpcTransport } from '@connectrpc/connect-node';

import { UserService } from '#proto/shop/user/v1/user_pb.js';

import type { Peer } from './peer.ts';
import { answerTo } from './user.ts';

const DEADLINE_MS = 1_000;

/** connect-node on both sides, with the gRPC protocol over plaintext HTTP/2. */
export const connectNodePeer: Peer = {
  async serve() {
    const adapter = connectNodeAdapter({
      connect: false,
      grpcWeb: false,
      routes: (router) => void router.service(UserService, { getUser: answerTo }),
    });
    const server = createServer(adapter).listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A server that listens on a port has an address with one.
    const { port } = server.address() as AddressInfo;
    return { port, settle: async () => {} };
  },
  async connect(port) {
    const client = createClient(UserService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
    return { call: (request) => client.getUser(request, { timeoutMs: DEADLINE_MS }), settle: async () => {} };
  },
};
