import { fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { type ChannelInterface, Metadata, propagate, status as grpcStatus, type StatusObject } from '@grpc/grpc-js';

import { MeshError, refusal } from '#kit';

import type { ClientCall, Invoke } from '../call.ts';
import { fromStatus } from '../status.ts';

type WireCall = ReturnType<ChannelInterface['createCall']>;

/** Carries calls over a gRPC channel, straight on its public `createCall`: grpc-js's own client surface costs a third of the throughput. */
export function remoteTransport(channel: ChannelInterface): Invoke<ClientCall> {
  return async (call) => (call.method.desc.methodKind === 'unary' ? unary(channel, call) : serverStream(channel, call));
}

function unary(channel: ChannelInterface, call: ClientCall): Promise<Message> {
  return new Promise((resolve, reject) => {
    const wire = open(channel, call);
    const stopListening = cancelOnAbort(wire, call);
    let answer: Buffer | undefined;
    wire.start(metadataOf(call), {
      onReceiveMetadata: () => {},
      onReceiveMessage: (bytes: Buffer) => {
        answer = bytes;
      },
      onReceiveStatus: (status) => {
        stopListening();
        if (status.code !== grpcStatus.OK) reject(errorOf(status, call));
        else if (!answer) reject(refusal('INTERNAL', `${call.method.fullName} ended without an answer`));
        else settle(() => fromBinary(call.method.desc.output, answer as Buffer), resolve, reject);
      },
    });
    wire.startRead();
    send(wire, call);
  });
}

/** Pulls one message at a time, so a slow reader holds the server back by HTTP/2 flow control. */
async function* serverStream(channel: ChannelInterface, call: ClientCall): AsyncIterable<Message> {
  const wire = open(channel, call);
  const stopListening = cancelOnAbort(wire, call);
  const arrived: Buffer[] = [];
  let ended: StatusObject | undefined;
  let wake = (): void => {};
  wire.start(metadataOf(call), {
    onReceiveMetadata: () => {},
    onReceiveMessage: (bytes: Buffer) => {
      arrived.push(bytes);
      wake();
    },
    onReceiveStatus: (status) => {
      ended = status;
      wake();
    },
  });
  send(wire, call);
  try {
    wire.startRead();
    while (true) {
      const bytes = arrived.shift();
      if (bytes) {
        yield fromBinary(call.method.desc.output, bytes);
        wire.startRead();
      } else if (ended) {
        if (ended.code !== grpcStatus.OK) throw errorOf(ended, call);
        return;
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    stopListening();
    if (!ended) wire.cancelWithStatus(grpcStatus.CANCELLED, 'the reader stopped');
  }
}

function open(channel: ChannelInterface, call: ClientCall): WireCall {
  return channel.createCall(call.method.path, call.deadline, null, null, propagate.DEFAULTS);
}

function send(wire: WireCall, call: ClientCall): void {
  // grpc-js types messages as Buffer and only reads them; toBinary's array is handed over without a copy.
  const bytes = toBinary(call.method.desc.input, call.request);
  wire.sendMessageWithContext({}, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  wire.halfClose();
}

function metadataOf(call: ClientCall): Metadata {
  const metadata = new Metadata();
  for (const name in call.headers) metadata.set(name, call.headers[name] as string);
  return metadata;
}

function cancelOnAbort(wire: WireCall, { signal }: ClientCall): () => void {
  if (!signal) return () => {};
  const cancel = (): void => wire.cancelWithStatus(grpcStatus.CANCELLED, 'the caller went away');
  signal.addEventListener('abort', cancel, { once: true });
  return () => signal.removeEventListener('abort', cancel);
}

/** A status without details was made by grpc-js on this side or by a foreign server: add what the caller can do. */
function errorOf(status: StatusObject, call: ClientCall): MeshError {
  const error = fromStatus(status);
  switch (error.reason) {
    case 'DEADLINE_EXCEEDED':
      return refusal('DEADLINE_EXCEEDED', `${call.method.fullName} did not answer within its deadline; try again, or allow it more time`);
    case 'NO_INSTANCE':
      return refusal('NO_INSTANCE', `no healthy instance of ${call.method.destination} is registered; start one, or wait until it is healthy`);
    case 'UNREACHABLE':
      return refusal('UNREACHABLE', `${call.method.destination} could not be reached: ${status.details}`);
    default:
      return error;
  }
}

function settle<T>(compute: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): void {
  try {
    resolve(compute());
  } catch (cause) {
    reject(refusal('INTERNAL', 'the answer does not fit the contract; both sides must use the same version', { cause }));
  }
}
