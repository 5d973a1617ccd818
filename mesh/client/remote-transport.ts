import type { Message } from '@bufbuild/protobuf';
import { type ChannelInterface, propagate, status as grpcStatus, type StatusObject } from '@grpc/grpc-js';

import { type MeshError, refusal } from '#kit';

import { type ClientCall, type Invoke, isStream, onAbort, streamOf } from '../call.ts';
import { fromMetadata } from '../headers.ts';
import { decodeAnswer } from '../messages.ts';
import { encodeHeaders, encodeMessage } from './encode-call.ts';
import { createReadAhead } from './read-ahead.ts';
import { sendAll } from './send-all.ts';
import { errorOf } from './wire-error.ts';

type Wire = ReturnType<ChannelInterface['createCall']>;
type WireListener = Parameters<Wire['start']>[1];

/** Carries calls over a gRPC channel, straight on its public `createCall`: grpc-js's own client surface costs a third of the throughput. */
export function remoteTransport(channel: ChannelInterface): Invoke<ClientCall> {
  return (call) => (call.method.responseStreams ? Promise.resolve(manyAnswers(channel, call)) : oneAnswer(channel, call));
}

function oneAnswer(channel: ChannelInterface, call: ClientCall): Promise<Message> {
  return new Promise((resolve, reject) => {
    let answer: Buffer | undefined;
    let answers = 0;
    const { wire, over, failure } = open(channel, call, {
      onReceiveMetadata: (headers) => call.onHeaders?.(fromMetadata(headers)),
      onReceiveMessage: (bytes: Buffer) => {
        answer = bytes;
        answers += 1;
        // A second one must not wait unread: behind it stands the status.
        wire.startRead();
      },
      onReceiveStatus: (status) => {
        over(status);
        try {
          if (status.code !== grpcStatus.OK) throw failure(status);
          if (!answer || answers > 1) throw wrongCount(call, answers);
          resolve(decodeAnswer(call.method.desc, answer));
        } catch (thrown) {
          reject(thrown);
        }
      },
    });
    wire.startRead();
  });
}

type Pull = Pick<PromiseWithResolvers<IteratorResult<Message>>, 'resolve' | 'reject'>;

/**
 * Opened with the first pull. Takes a few messages ahead of its reader and no more, so a slow one holds the server back by
 * HTTP/2 flow control. A reader who leaves cancels the call at once, and what it still waits for fails as CANCELLED.
 */
function manyAnswers(channel: ChannelInterface, call: ClientCall): AsyncIterable<Message> {
  const arrived = createReadAhead(() => opened?.wire.startRead());
  const pulls: Pull[] = [];
  let opened: Opened | undefined;
  let ended: StatusObject | undefined;

  function begin(): Opened {
    const begun = open(channel, call, {
      onReceiveMetadata: (headers) => call.onHeaders?.(fromMetadata(headers)),
      onReceiveMessage(bytes: Buffer) {
        arrived.push(bytes);
        serve(begun);
      },
      onReceiveStatus(status) {
        begun.over(status);
        ended = status;
        serve(begun);
      },
    });
    begun.wire.startRead();
    return begun;
  }

  /** Gives those who wait what has arrived, in their order: the wire may deliver more from within. */
  function serve({ wire, failure }: Opened): void {
    for (let pull = pulls.shift(); pull; pull = pulls.shift()) {
      const bytes = arrived.shift();
      if (bytes) decodeInto(pull, bytes, wire);
      else if (!ended) return void pulls.unshift(pull);
      else if (ended.code === grpcStatus.OK) pull.resolve({ done: true, value: undefined });
      else pull.reject(failure(ended));
    }
  }

  function decodeInto(pull: Pull, bytes: Buffer, wire: Wire): void {
    try {
      pull.resolve({ done: false, value: decodeAnswer(call.method.desc, bytes) });
    } catch (thrown) {
      cancel(wire, 'its answers cannot be read');
      pull.reject(thrown);
    }
  }

  return streamOf(
    () =>
      new Promise((resolve, reject) => {
        opened ??= begin();
        pulls.push({ resolve, reject });
        serve(opened);
      }),
    () => {
      if (opened && !ended) cancel(opened.wire, 'the reader stopped');
    },
  );
}

/** A call under way. */
interface Opened {
  readonly wire: Wire;
  /** To be told of the call's end. */
  over(status: StatusObject): void;
  /** Why it failed. */
  failure(status: StatusObject): MeshError;
}

/** Opens the call and sends what it sends. The one request is made first, so that one that cannot be written leaves nothing open. */
function open(channel: ChannelInterface, call: ClientCall, listener: WireListener): Opened {
  const { method, request, signals } = call;
  const metadata = encodeHeaders(call);
  const message = isStream(request) ? undefined : encodeMessage(method, request);
  const wire = channel.createCall(method.path, call.deadline, null, null, propagate.DEFAULTS);
  const stopListening = onAbort(signals, () => cancel(wire, 'the caller went away'));
  wire.start(metadata, listener);
  let stopSending: (() => void) | undefined;
  let ownFailure: MeshError | undefined;
  if (message) {
    wire.sendMessageWithContext({}, message);
    wire.halfClose();
  } else if (isStream(request)) {
    stopSending = sendAll(request, {
      send: (next, taken) => wire.sendMessageWithContext({ callback: taken }, encodeMessage(method, next)),
      close: () => wire.halfClose(),
      fail(reason) {
        ownFailure = reason;
        cancel(wire, 'the stream of requests failed');
      },
    });
  }
  return {
    wire,
    failure: (status) => ownFailure ?? errorOf(status, call),
    over({ metadata: trailers }) {
      stopListening();
      stopSending?.();
      call.onTrailers?.(fromMetadata(trailers));
    },
  };
}

/**
 * Twice: grpc-js sends a call all the same that is cancelled in the turn it was started in, and nobody would ever end
 * that one. Cancelling what is over is harmless.
 */
function cancel(wire: Wire, why: string): void {
  wire.cancelWithStatus(grpcStatus.CANCELLED, why);
  setImmediate(() => wire.cancelWithStatus(grpcStatus.CANCELLED, why));
}

function wrongCount({ method }: ClientCall, answers: number): MeshError {
  return refusal('MESSAGE_COUNT', `${method.fullName} was answered with ${answers} messages, and its contract has one; the server must use the same contract`);
}
