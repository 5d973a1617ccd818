import type { Message } from '@bufbuild/protobuf';
import type { handleServerStreamingCall, handleUnaryCall, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { ROOT_CONTEXT } from '@opentelemetry/api';

import { MeshError, refusal } from '#kit';

import { type Invoke, isStream, type Reply, type ServerCall } from '../call.ts';
import { encodeAnswer, type Incoming } from '../messages.ts';
import type { Method } from '../method.ts';
import { toStatus } from '../status.ts';
import { pastDeadline } from './deadline.ts';

/** The calls that a server is serving. */
export type OpenCalls = Set<AbortController>;

type Wire = ServerUnaryCall<Incoming, Buffer> | ServerWritableStream<Incoming, Buffer>;

/** Answers a unary method's calls with its chain. */
export function unary(method: Method, invoke: Invoke<ServerCall>, open: OpenCalls): handleUnaryCall<Incoming, Buffer> {
  return (wire, callback) => {
    if (wire.request instanceof MeshError) return callback(toStatus(wire.request));
    const { call, release } = serverCall(method, wire, wire.request, open);
    const refuse = (thrown: unknown): void => {
      release();
      callback(toStatus(MeshError.from(thrown)));
    };
    invoke(call).then((reply) => {
      let bytes: Buffer;
      try {
        // A unary chain ends in a message: handlerLink made it from the method's kind.
        bytes = encodeAnswer(method, reply as Message);
      } catch (thrown) {
        return refuse(thrown);
      }
      release();
      callback(null, bytes);
    }, refuse);
  };
}

/** Answers a server-streaming method's calls with its chain, no faster than their readers. */
export function serverStream(method: Method, invoke: Invoke<ServerCall>, open: OpenCalls): handleServerStreamingCall<Incoming, Buffer> {
  return (wire) => {
    if (wire.request instanceof MeshError) return void wire.emit('error', toStatus(wire.request));
    const { call, release } = serverCall(method, wire, wire.request, open);
    void pump(method, wire, invoke(call)).finally(release);
  };
}

async function pump(method: Method, wire: ServerWritableStream<Incoming, Buffer>, replying: Promise<Reply>): Promise<void> {
  try {
    const reply = await replying;
    if (!isStream(reply)) throw new Error('a streaming method answers with a stream');
    for await (const message of reply) {
      if (!wire.write(encodeAnswer(method, message))) await drained(wire);
    }
    wire.end();
  } catch (thrown) {
    wire.emit('error', toStatus(MeshError.from(thrown)));
  }
}

/** Waits until the reader caught up; a reader that went away ends the wait too. */
function drained(wire: ServerWritableStream<Incoming, Buffer>): Promise<void> {
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

/** The call as the chain sees it. `release` it once it is over: grpc-js says `cancelled` also after each answer. */
function serverCall(method: Method, wire: Wire, request: Message, open: OpenCalls): { call: ServerCall; release: () => void } {
  const lifetime = new AbortController();
  const deadline = Number(wire.getDeadline());
  // grpc-js watches the deadline too, and says `cancelled` when it was first.
  const cancel = (): void => lifetime.abort(Date.now() < deadline ? refusal('CANCELLED', 'the caller went away') : pastDeadline(method));
  wire.on('cancelled', cancel);
  open.add(lifetime);
  const release = (): void => {
    wire.off('cancelled', cancel);
    open.delete(lifetime);
  };
  return { call: { method, request, header: (name) => firstHeader(wire, name), deadline, lifetime, context: ROOT_CONTEXT }, release };
}

function firstHeader(wire: Wire, name: string): string | undefined {
  const [value] = wire.metadata.get(name);
  return typeof value === 'string' ? value : undefined;
}
