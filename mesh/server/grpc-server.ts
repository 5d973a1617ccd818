import { type MethodDefinition, Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';

import { errorCode, refusal } from '#kit';

import type { Invoke, ServerCall } from '../call.ts';
import { decodeRequest, type Incoming, MAX_MESSAGE_BYTES } from '../messages.ts';
import type { Method } from '../method.ts';
import { type OpenCalls, serverStream, unary } from './wire-calls.ts';

/** How long a call that was broken off may take to say so. */
const BREAK_OFF_MS = 500;

/** A grpc-js server and the calls it is serving. */
export interface GrpcServer {
  readonly server: Server;
  readonly open: OpenCalls;
}

/** A grpc-js server with this process's limits. */
export function createGrpcServer(): GrpcServer {
  const server = new Server({
    'grpc.max_receive_message_length': 4 * MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  });
  return { server, open: new Set() };
}

/** Puts methods on the server, each with its chain. */
export function addChains({ server, open }: GrpcServer, chains: ReadonlyMap<Method, Invoke<ServerCall>>): void {
  const definition: Record<string, MethodDefinition<Incoming, Buffer>> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const [method, invoke] of chains) {
    const serve = method.desc.methodKind === 'unary' ? unary : serverStream;
    // By full name: two contracts may each have a method of the same name.
    definition[method.fullName] = wireDefinition(method);
    implementation[method.fullName] = serve(method, invoke, open);
  }
  server.addService(definition, implementation);
}

/** Starts listening in plaintext. Port 0 takes a free one; returns the port. */
export function bind({ server }: GrpcServer, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${address.includes(':') ? `[${address}]` : address}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (!error) resolve(bound);
      // grpc-js wraps the system error in its own and keeps only the text.
      else if (errorCode(error) === 'EADDRINUSE' || error.message.includes('EADDRINUSE')) {
        reject(refusal('PORT_IN_USE', `port ${port} on ${address} is taken`, { metadata: { port: String(port), address } }));
      } else if (error.message.includes('EADDRNOTAVAIL')) {
        reject(refusal('INVALID_SETTING', `this machine has no address ${address}; set MESH_ADVERTISE to one that it has`, { cause: error }));
      } else reject(error);
    });
  });
}

/** Lets calls in flight finish, at most `graceMs`; then breaks off what is left, so that callers try elsewhere, and closes. */
export function shutDown({ server, open }: GrpcServer, graceMs: number): Promise<void> {
  const breakOff = (): void => {
    for (const lifetime of open) lifetime.abort(refusal('UNREACHABLE', 'the service stopped before the call was through; try again'));
  };
  return new Promise((resolve) => {
    const timers = [setTimeout(breakOff, graceMs), setTimeout(() => server.forceShutdown(), graceMs + BREAK_OFF_MS)];
    server.tryShutdown(() => {
      timers.forEach(clearTimeout);
      resolve();
    });
  });
}

function wireDefinition({ desc, path }: Method): MethodDefinition<Incoming, Buffer> {
  return {
    path,
    requestStream: desc.methodKind === 'client_streaming' || desc.methodKind === 'bidi_streaming',
    responseStream: desc.methodKind === 'server_streaming' || desc.methodKind === 'bidi_streaming',
    requestSerialize: onlyClients,
    requestDeserialize: (bytes) => decodeRequest(desc, bytes),
    // `unary` and `serverStream` hand over bytes.
    responseSerialize: (bytes) => bytes,
    responseDeserialize: onlyClients,
  };
}

function onlyClients(): never {
  throw new Error('only clients write requests and read answers');
}
