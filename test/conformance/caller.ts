import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';

import type { Clock } from '#kit';
import type { ClientCompatRequest } from '#proto/connectrpc/conformance/v1/client_compat_pb.js';
import { StreamType } from '#proto/connectrpc/conformance/v1/config_pb.js';

/** The side of a call that the suite directs: what is sent when, and when the caller goes away. */
export interface Caller {
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal;
  /** The one request of a method that takes one. */
  one<D extends DescMessage>(schema: D): MessageShape<D>;
  /** The requests of a method that takes a stream: with pauses, and in turns with the answers where the suite asks for it. */
  many<D extends DescMessage>(schema: D): AsyncIterable<MessageShape<D>>;
  /** To be told of each answer. */
  answered(): void;
  /** To be told that the call is over. Returns how many requests were not sent. */
  over(): number;
}

export function createCaller({ requestMessages, requestDelayMs, streamType, cancel }: ClientCompatRequest, clock: Clock): Caller {
  const goesAway = new AbortController();
  const inTurns = streamType === StreamType.FULL_DUPLEX_BIDI_STREAM;
  const timing = cancel?.cancelTiming;
  let sent = 0;
  let answers = 0;
  let ended = false;
  let wake = (): void => {};

  /** All is sent. */
  function closed(): void {
    if (timing?.case === 'afterNumResponses' || !timing) return;
    const afterMs = timing.case === 'afterCloseSendMs' ? timing.value : 0;
    void clock.sleep(afterMs).then(() => goesAway.abort());
  }

  function unpack<D extends DescMessage>(schema: D, index: number): MessageShape<D> {
    const packed = requestMessages[index];
    const message = packed && anyUnpack(packed, schema);
    if (!message) throw new Error(`the suite gave no ${schema.typeName} as request ${index + 1}`);
    return message;
  }

  return {
    signal: goesAway.signal,
    one(schema) {
      sent = 1;
      closed();
      return unpack(schema, 0);
    },
    async *many(schema) {
      for (const index of requestMessages.keys()) {
        await clock.sleep(requestDelayMs);
        sent += 1;
        yield unpack(schema, index);
        while (inTurns && answers < sent && !ended) await new Promise<void>((resolve) => (wake = resolve));
      }
      if (timing?.case === 'beforeCloseSend') goesAway.abort();
      else closed();
    },
    answered() {
      answers += 1;
      if (timing?.case === 'afterNumResponses' && timing.value === answers) goesAway.abort();
      wake();
    },
    over() {
      ended = true;
      wake();
      return requestMessages.length - sent;
    },
  };
}
