import type * as grpc from '@grpc/grpc-js';
import type { ClientOptions } from '@grpc/grpc-js';

import type { GetUserRequest, GetUserResponse } from '#proto/shop/user/v1/user_pb.js';

import type { BenchClient, BenchServer } from './peer.ts';
import { answerTo, getUserMethod } from './user.ts';

/** What is used of the module: instrumentation hands out one of its own. */
export type GrpcJs = Pick<typeof grpc, 'Client' | 'credentials' | 'Server' | 'ServerCredentials'>;

/** Callers that want an answer say how long they wait for it; the contract says 1 s. */
const DEADLINE_MS = 1_000;

const settled = async (): Promise<void> => {};

export function serveGrpcJs({ Server, ServerCredentials }: GrpcJs, settle = settled): Promise<BenchServer> {
  const server = new Server();
  const getUser: grpc.handleUnaryCall<GetUserRequest, GetUserResponse> = (call, callback) => callback(null, answerTo(call.request));
  server.addService({ getUser: getUserMethod }, { getUser });
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve({ port, settle });
    });
  });
}

export function connectGrpcJs({ Client, credentials }: GrpcJs, port: number, settle = settled, options: ClientOptions = {}): BenchClient {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
  const { path, requestSerialize, responseDeserialize } = getUserMethod;
  return {
    settle,
    call: (request) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline: Date.now() + DEADLINE_MS }, (error, answer) => {
          if (error) reject(error);
          else if (answer) resolve(answer);
          else reject(new Error('a call ended with neither an answer nor an error'));
        });
      }),
  };
}
