import { create } from '@bufbuild/protobuf';
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';

import { silentLog, systemClock } from '#kit';
import { type CallContext, createMesh } from '#mesh';
import { type GetUserRequest, type GetUserResponse, GetUserResponseSchema, UserService } from '#proto/shop/user/v1/user_pb.js';

import { getUserMethod } from '../peers/user.ts';
import { readPapers } from '../rpc/papers.ts';
import { answerParent } from '../rpc/parent.ts';
import { shownBy } from './shown.ts';

/** What the program is told. */
export interface DoorArgument {
  /** Folder of the certificates. */
  readonly papers: string;
}

/** Whose server it is. */
export type Door = 'ours' | 'grpc-js';
export type DoorPorts = Readonly<Record<Door, number>>;

/** Servers that connections are made to as `user`; their answer to a call is as whom the caller has proved itself. */
const { papers }: DoorArgument = JSON.parse(process.argv[2] ?? '{}');
const identity = (await readPapers(papers)).identity('user');
answerParent({ ours: await openOurs(), 'grpc-js': await openGrpcJs() } satisfies DoorPorts, {});

async function openOurs(): Promise<number> {
  const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel: callsNobody });
  const handlers = {
    getUser: async (_: unknown, { peer }: CallContext) => ({ user: { displayName: peer.service } }),
    createUser: async () => ({}),
    listUsers: async () => ({}),
  };
  const hosting = mesh.host({ contract: UserService, handlers, tracer: trace.getTracer('none'), log: silentLog, check: async () => {} });
  const { port } = await hosting.listen('127.0.0.1', 0, { kind: 'mtls', identity, permissive: false });
  return port;
}

function callsNobody(): never {
  throw new Error('it calls nobody');
}

function openGrpcJs(): Promise<number> {
  const { roots, chain, key } = shownBy(identity);
  const server = new Server();
  const getUser: handleUnaryCall<GetUserRequest, GetUserResponse> = (call, callback) => {
    const names = call.getAuthContext().sslPeerCertificate?.subjectaltname ?? '';
    callback(null, create(GetUserResponseSchema, { user: { displayName: /URI:spiffe:\S*\/svc\/([a-z0-9-]+)/.exec(names)?.[1] ?? '' } }));
  };
  server.addService({ getUser: getUserMethod }, { getUser });
  return new Promise((resolve, reject) => {
    const how = ServerCredentials.createSsl(roots, [{ cert_chain: chain, private_key: key }], true);
    server.bindAsync('127.0.0.1:0', how, (error, port) => (error ? reject(error) : resolve(port)));
  });
}
