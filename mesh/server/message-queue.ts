import type { Message } from '@bufbuild/protobuf';

import { MeshError, refusal } from '#kit';

import { streamOf } from '../call.ts';
import type { Decoded } from '../messages.ts';

/** Messages on their way in, one asked for at a time, so that a slow handler holds its caller back by HTTP/2 flow control. */
export interface MessageQueue {
  readonly messages: AsyncIterable<Message>;
  /** Takes what arrived; what is no message fails the stream. */
  push(message: Decoded): void;
  /** No more will come: by plan, or for a reason. */
  end(reason?: MeshError): void;
  /**
   * The caller ended its stream. One on Node that goes away does so first, and resets it in the next frame: half a stream
   * would pass for a whole one. The reset of a caller near by is there after at most two turns of the event loop.
   */
  endUnlessReset(): void;
}

interface Waiting {
  resolve(step: IteratorResult<Message>): void;
  reject(reason: MeshError): void;
}

/**
 * `ask` asks the transport for one more. The first is asked for at once: the door cancels a request of which nothing is
 * read, and a handler may have other things to do first. A reader that asks again before it was answered is refused.
 */
export function createMessageQueue(ask: () => void): MessageQueue {
  let waiting: Waiting | undefined;
  let asked = true;
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

  function end(reason?: MeshError): void {
    ended ??= { reason };
    settle();
  }

  ask();
  return {
    messages: streamOf(
      () =>
        new Promise((resolve, reject) => {
          if (waiting) return reject(refusal('INTERNAL', 'the handler asked for two requests at once; await one before the next'));
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
    end,
    endUnlessReset: () => void setImmediate(() => setImmediate(end)),
  };
}
