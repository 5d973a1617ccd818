import type { Message } from '@bufbuild/protobuf';
import { type ChannelInterface, propagate, status as grpcStatus, type StatusObject } from '@grpc/grpc-js';

import { type MeshError, refusal } from '#kit';

import { type ClientCall, type Invoke, onAbort } from '../call.ts';
import { decodeAnswer } from '../messages.ts';
import { fromStatus, hasDetails } from '../status.ts';
import { encodeCall } from './encode-call.ts';

type WireCall = ReturnType<ChannelInterface['createCall']>;
type WireListener = Parameters<WireCall['start']>[1];

/** Carries calls over a gRPC channel, straight on its public `createCall`: grpc-js's own client surface costs a third of the throughput. */
export function remoteTransport(channel: ChannelInterface): Invoke<ClientCall> {
  return async (call) => (call.method.desc.methodKind === 'unary' ? unary(channel, call) : serverStream(channel, call));
}

function unary(channel: ChannelInterface, call: ClientCall): Promise<Message> {
  return new Promise((resolve, reject) => {
    let answer: Buffer | undefined;
    const { wire, stopListening } = start(channel, call, {
      onReceiveMetadata: () => {},
      onReceiveMessage: (bytes: Buffer) => {
        answer = bytes;
      },
      onReceiveStatus: (status) => {
        stopListening();
        if (status.code !== grpcStatus.OK) return reject(errorOf(status, call));
        try {
          resolve(decode(call, answer));
        } catch (thrown) {
          reject(thrown);
        }
      },
    });
    wire.startRead();
  });
}

/** Pulls one message at a time, so a slow reader holds the server back by HTTP/2 flow control. */
async function* serverStream(channel: ChannelInterface, call: ClientCall): AsyncIterable<Message> {
  const arrived: Buffer[] = [];
  let ended: StatusObject | undefined;
  let wake = (): void => {};
  const { wire, stopListening } = start(channel, call, {
    onReceiveMetadata: () => {},
    onReceiveMessage: (bytes: Buffer) => {
      arrived.push(bytes);
      wake();
    },
    onReceiveStatus: (status) => {
      stopListening();
      ended = status;
      wake();
    },
  });
  try {
    wire.startRead();
    while (true) {
      const bytes = arrived.shift();
      if (bytes) {
        yield decode(call, bytes);
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

/** Opens the call and sends its one request. What is sent is made first, so that a request that cannot be written leaves nothing open. */
function start(channel: ChannelInterface, call: ClientCall, listener: WireListener): { wire: WireCall; stopListening: () => void } {
  const { metadata, message } = encodeCall(call);
  const wire = channel.createCall(call.method.path, call.deadline, null, null, propagate.DEFAULTS);
  const stopListening = onAbort(call.signals, () => wire.cancelWithStatus(grpcStatus.CANCELLED, 'the caller went away'));
  wire.start(metadata, listener);
  wire.sendMessageWithContext({}, message);
  wire.halfClose();
  return { wire, stopListening };
}

function decode({ method }: ClientCall, bytes: Buffer | undefined): Message {
  if (!bytes) throw refusal('INTERNAL', `${method.fullName} ended without an answer`);
  return decodeAnswer(method.desc, bytes);
}

/** A status without details was made by grpc-js on this side or by a foreign server: add what the caller can do. */
function errorOf(status: StatusObject, { method }: ClientCall): MeshError {
  const error = fromStatus(status);
  if (hasDetails(status)) return error;
  switch (error.reason) {
    case 'DEADLINE_EXCEEDED':
      return refusal('DEADLINE_EXCEEDED', `${method.fullName} did not answer within its deadline; try again, or allow it more time`);
    case 'NO_INSTANCE':
      return refusal('NO_INSTANCE', `no healthy instance of ${method.destination} is registered; try again in a moment, or start one with \`npx mesh serve ${method.destination}\``);
    case 'UNREACHABLE':
      return refusal('UNREACHABLE', `${method.destination} could not be reached: ${status.details}`);
    default:
      return error;
  }
}
