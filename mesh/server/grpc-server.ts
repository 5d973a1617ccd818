import { type DescMethod, type DescService, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { type MethodDefinition, Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';

import { errorCode, refusal } from '#kit';

import type { Invoke, ServerCall } from '../call.ts';
import { describeMethod, type Method } from '../method.ts';
import { type Incoming, type OpenCalls, serverStream, unary } from './wire-calls.ts';

/** Largest request and answer. grpc-js itself stops at four times that, for what it must buffer first. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

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

/** Puts a contract on the server; every method runs the chain `invokeOf` returns for it. */
export function addContract({ server, open }: GrpcServer, service: DescService, invokeOf: (method: Method) => Invoke<ServerCall>): void {
  const definition: Record<string, MethodDefinition<Incoming, Message>> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const desc of service.methods) {
    const method = describeMethod(desc);
    const serve = desc.methodKind === 'unary' ? unary : serverStream;
    definition[desc.localName] = wireDefinition(desc, method);
    implementation[desc.localName] = serve(method, invokeOf(method), open);
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

function wireDefinition(desc: DescMethod, method: Method): MethodDefinition<Incoming, Message> {
  return {
    path: method.path,
    requestStream: desc.methodKind === 'client_streaming' || desc.methodKind === 'bidi_streaming',
    responseStream: desc.methodKind === 'server_streaming' || desc.methodKind === 'bidi_streaming',
    requestSerialize: () => {
      throw new Error('only clients write requests');
    },
    requestDeserialize: (bytes) => decode(desc, bytes),
    responseSerialize: (message) => {
      const bytes = toBinary(desc.output, message);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    responseDeserialize: (bytes) => fromBinary(desc.output, bytes),
  };
}

/** Never throws: grpc-js would answer with a status that has no reason in it. */
function decode(desc: DescMethod, bytes: Buffer): Incoming {
  if (bytes.length > MAX_MESSAGE_BYTES) {
    return refusal('MESSAGE_TOO_LARGE', `the request has ${bytes.length} bytes, at most ${MAX_MESSAGE_BYTES} are taken; send less at once`);
  }
  try {
    return fromBinary(desc.input, bytes);
  } catch (cause) {
    return refusal('INVALID_ARGUMENT', `the bytes are no ${desc.input.typeName}; use the same contract as the server`, { cause });
  }
}
