import type { Message } from '@bufbuild/protobuf';

import { MeshError } from '#kit';

import { streamOf } from '../call.ts';
import type { Decoded } from '../messages.ts';

/** Messages on their way in, one asked for at a time, so that a slow handler holds its caller back by HTTP/2 flow control. */
export interface MessageQueue {
  readonly messages: AsyncIterable<Message>;
  /** Takes what arrived; what is no message fails the stream. */
  push(message: Decoded): void;
  /** No more will come: by plan, or for a reason. */
  end(reason?: MeshError): void;
}

interface Waiting {
  resolve(step: IteratorResult<Message>): void;
  reject(reason: MeshError): void;
}

/** `ask` asks the transport for one more. */
export function createMessageQueue(ask: () => void): MessageQueue {
  let waiting: Waiting | undefined;
  let asked = false;
  // At most one: nothing is asked for while one stands here.
  let arrived: Decoded | undefined;
  let ended: { readonly reason: MeshError | undefined } | undefined;

  function settle(): void {
    if (!waiting || (arrived === undefined && !ended)) return;
    const { resolve, reject } = waiting;
    waiting = undefined;
    const message = arrived;
    arrived = undefined;
    if (message instanceof MeshError) reject(message);
    else if (message) resolve({ done: false, value: message });
    else if (ended?.reason) reject(ended.reason);
    else resolve({ done: true, value: undefined });
  }

  return {
    messages: streamOf(
      () =>
        new Promise((resolve, reject) => {
          waiting = { resolve, reject };
          settle();
          if (!waiting || asked) return;
          asked = true;
          ask();
        }),
      () => {
        ended ??= { reason: undefined };
      },
    ),
    push(message) {
      asked = false;
      arrived = message;
      settle();
    },
    end(reason) {
      ended ??= { reason };
      settle();
    },
  };
}
