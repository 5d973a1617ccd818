import type { ServerHttp2Stream } from 'node:http2';

import type { Message } from '@bufbuild/protobuf';

import type { Lifetime } from '../lifetime.ts';

/** Answers on their way out that a stream may have before its reader must catch up: by number, and in bytes, four windows of HTTP/2. */
const MAX_UNSENT = 16;
const MAX_UNSENT_BYTES = 256 * 1024;

/**
 * Sends answers as they come. A reader that is slow holds their handler back; one answer is always on its way, however large.
 * `send` sends the one that was pulled last, and calls back once it went out.
 */
export async function sendAll(
  answers: AsyncIterable<Message>,
  send: (sent: () => void) => void,
  lifetime: Lifetime,
  stream: ServerHttp2Stream | undefined,
): Promise<void> {
  let unsent = 0;
  let caughtUp = (): void => {};
  const sent = (): void => {
    unsent -= 1;
    caughtUp();
  };
  const areMany = (): boolean => unsent >= MAX_UNSENT || (unsent > 0 && (stream?.writableLength ?? 0) >= MAX_UNSENT_BYTES);

  /** Until an answer went out. To a caller that went away none will: the call's end is the way out. */
  const oneWentOut = (): Promise<void> =>
    new Promise((resolve) => {
      caughtUp = () => {
        lifetime.offEnd(caughtUp);
        caughtUp = () => {};
        resolve();
      };
      lifetime.onEnd(caughtUp);
    });

  for await (const _ of answers) {
    unsent += 1;
    send(sent);
    while (areMany() && !lifetime.reason) await oneWentOut();
  }
}
