import { type DescMethod, type DescService, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ROOT_CONTEXT } from '@opentelemetry/api';

import { errorCode, MeshError, refusal } from '#kit';

import { type Invoke, isStream, type ServerCall } from '../call.ts';
import { describeMethod, type Method } from '../method.ts';
import { toStatus } from '../status.ts';
import { pastDeadline } from './deadline.ts';

/** Largest request and answer. grpc-js itself stops at four times that, for what it must buffer first. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** A request as it came off the wire: decoded, or the reason why it could not be. */
type Incoming = Message | MeshError;

type Wire = ServerUnaryCall<Incoming, Message> | ServerWritableStream<Incoming, Message>;

/** A grpc-js server with this process's limits. */
export function createGrpcServer(): Server {
  return new Server({
    'grpc.max_receive_message_length': 4 * MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  });
}

/** Puts a contract on the server; every method runs the chain `invokeOf` returns for it. */
export function addContract(server: Server, service: DescService, invokeOf: (method: Method) => Invoke<ServerCall>): void {
  const definition: Record<string, MethodDefinition<Incoming, Message>> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const desc of service.methods) {
    const method = describeMethod(desc);
    definition[desc.localName] = wireDefinition(desc, method);
    implementation[desc.localName] = desc.methodKind === 'unary' ? unary(method, invokeOf(method)) : serverStream(method, invokeOf(method));
  }
  server.addService(definition, implementation);
}

/** Starts listening in plaintext. Port 0 takes a free one; returns the port. */
export function bind(server: Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${address.includes(':') ? `[${address}]` : address}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (!error) resolve(bound);
      // grpc-js wraps the system error in its own and keeps only the text.
      else if (errorCode(error) === 'EADDRINUSE' || error.message.includes('EADDRINUSE')) {
        reject(refusal('PORT_IN_USE', `port ${port} on ${address} is taken`, { metadata: { port: String(port), address } }));
      } else reject(error);
    });
  });
}

/** Lets calls in flight finish, at most `graceMs`, then closes what is left. */
export function shutDown(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
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

function unary(method: Method, invoke: Invoke<ServerCall>): handleUnaryCall<Incoming, Message> {
  return (wire, callback) => {
    if (wire.request instanceof MeshError) return callback(toStatus(wire.request));
    const { call, release } = serverCall(method, wire, wire.request);
    invoke(call).then(
      (reply) => {
        release();
        // A unary chain ends in a message: handlerLink made it from the method's kind.
        callback(null, reply as Message);
      },
      (thrown) => {
        release();
        callback(toStatus(MeshError.from(thrown)));
      },
    );
  };
}

function serverStream(method: Method, invoke: Invoke<ServerCall>): handleServerStreamingCall<Incoming, Message> {
  return (wire) => {
    if (wire.request instanceof MeshError) return void wire.emit('error', toStatus(wire.request));
    const { call, release } = serverCall(method, wire, wire.request);
    void pump(wire, invoke(call)).finally(release);
  };
}

async function pump(wire: ServerWritableStream<Incoming, Message>, replying: ReturnType<Invoke<ServerCall>>): Promise<void> {
  try {
    const reply = await replying;
    if (!isStream(reply)) throw new Error('a streaming method answers with a stream');
    for await (const message of reply) {
      if (!wire.write(message)) await drained(wire);
    }
    wire.end();
  } catch (thrown) {
    wire.emit('error', toStatus(MeshError.from(thrown)));
  }
}

/** Waits until the reader caught up; a reader that went away ends the wait too. */
function drained(wire: ServerWritableStream<Incoming, Message>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      wire.off('drain', done);
      wire.off('cancelled', done);
      resolve();
    };
    wire.on('drain', done);
    wire.on('cancelled', done);
    if (wire.cancelled) done();
  });
}

/** The call as the chain sees it. `release` once it is over: grpc-js says `cancelled` also after each answer. */
function serverCall(method: Method, wire: Wire, request: Message): { call: ServerCall; release: () => void } {
  const lifetime = new AbortController();
  const deadline = Number(wire.getDeadline());
  // grpc-js watches the deadline too, and says `cancelled` when it was first.
  const cancel = (): void => lifetime.abort(Date.now() < deadline ? refusal('CANCELLED', 'the caller went away') : pastDeadline(method));
  wire.on('cancelled', cancel);
  const call = { method, request, header: (name: string) => firstHeader(wire, name), deadline, lifetime, context: ROOT_CONTEXT };
  return { call, release: () => wire.off('cancelled', cancel) };
}

function firstHeader(wire: Wire, name: string): string | undefined {
  const [value] = wire.metadata.get(name);
  return typeof value === 'string' ? value : undefined;
}
