import { type handleUnaryCall, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';

import type { GetUserRequest, GetUserResponse } from '#proto/shop/user/v1/user_pb.js';

import { answerTo, getUserMethod } from '../peers/user.ts';
import { nameOf, pathOf } from './many-services.ts';
import { answerParent } from './parent.ts';

/** How large the made-up mesh is. */
export interface MeshSize {
  readonly services: number;
  /** Of each service. */
  readonly instances: number;
}

const { services, instances }: MeshSize = JSON.parse(process.argv[2] ?? '{}');

/** Every service behind each of a few ports; an answer carries, as the user's name, the port that it came from. */
const definition: ServiceDefinition = Object.fromEntries(
  Array.from({ length: services }, (_, index) => [nameOf(index), { ...getUserMethod, path: pathOf(index) }]),
);

async function openPort(): Promise<number> {
  let port = 0;
  const getUser: handleUnaryCall<GetUserRequest, GetUserResponse> = (call, callback) => {
    const answer = answerTo(call.request);
    if (answer.user) answer.user.displayName = String(port);
    callback(null, answer);
  };
  const server = new Server();
  server.addService(definition, Object.fromEntries(Object.keys(definition).map((name) => [name, getUser])));
  port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return port;
}

/** How many connections are open now. */
const connections = async (): Promise<number> => process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;

answerParent({ ports: await Promise.all(Array.from({ length: instances }, openPort)) }, { connections });
