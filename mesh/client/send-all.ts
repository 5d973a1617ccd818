import type { Message } from '@bufbuild/protobuf';

import { MeshError } from '#kit';

/** Where requests go. */
export interface Sink {
  /** Calls back when the other side can take more; never, when the call is over. */
  send(request: Message, taken: () => void): void;
  /** There are no more. */
  close(): void;
  /** There will be no more, for a reason of the caller's. */
  fail(reason: MeshError): void;
}

/** Sends one request after another, no faster than the other side takes them. Returns how to stop: when the call is over. */
export function sendAll(requests: AsyncIterable<Message>, sink: Sink): () => void {
  const source = requests[Symbol.asyncIterator]();
  let over = false;
  let goOn = (): void => {};

  async function send(): Promise<void> {
    for (let step = await source.next(); !over; step = await source.next()) {
      if (step.done) return sink.close();
      const { value } = step;
      await new Promise<void>((taken) => {
        goOn = taken;
        sink.send(value, taken);
      });
      if (over) return;
    }
  }

  // Not rethrown: the call ends with it, and whoever waits for that hears of it there.
  send().catch((thrown: unknown) => over || sink.fail(MeshError.from(thrown)));
  return () => {
    over = true;
    goOn();
    // Not awaited: the caller's generator may be waiting for something of its own.
    void Promise.resolve(source.return?.()).catch(() => {});
  };
}
