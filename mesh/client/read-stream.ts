import type { Message } from '@bufbuild/protobuf';

import { type ClientCall, type Invoke, streamOf } from '../call.ts';

const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * A stream of answers as its reader holds it. It is called with the first pull, so that a stream that nobody reads costs
 * nothing. A reader who leaves ends the call at once, also while it waits for a message: no generator, for one hears of
 * that only behind the message.
 */
export function readStream(invoke: Invoke<ClientCall>, call: ClientCall): AsyncIterable<Message> {
  const left = new AbortController();
  let opening: Promise<AsyncIterator<Message>> | undefined;
  let source: AsyncIterator<Message> | undefined;
  let over = false;

  async function open(): Promise<AsyncIterator<Message>> {
    call.signals.push(left.signal);
    // What a method with a stream of answers is answered with.
    const reply = (await invoke(call)) as AsyncIterable<Message>;
    return reply[Symbol.asyncIterator]();
  }

  return streamOf(
    async () => {
      if (over) return OVER;
      if (source) return source.next();
      opening ??= open();
      source = await opening;
      return source.next();
    },
    async () => {
      over = true;
      if (source) await source.return?.();
      else left.abort();
    },
  );
}
