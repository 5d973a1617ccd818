/** What may lie unread on this side: as many messages as our servers have under way, and not much more than a stream's window of 64 KB. */
const MAX_AHEAD = 16;
const MAX_AHEAD_BYTES = 64 * 1024;

/** Answers that arrived and wait for their reader. */
export interface ReadAhead {
  push(message: Buffer): void;
  shift(): Buffer | undefined;
}

/**
 * Takes up to 16 answers ahead of their reader, and no more once 64 KB lie there: a reader who is slower than that holds
 * the server back by HTTP/2 flow control. One at a time would do for that, but when a call fails grpc-js drops the
 * answers in front of the error that nobody asked for yet. `read` asks for one more; the first one its reader asks for.
 */
export function createReadAhead(read: () => void): ReadAhead {
  const waiting: Buffer[] = [];
  let bytes = 0;
  let reading = true;

  function readOn(): void {
    reading = waiting.length < MAX_AHEAD && bytes < MAX_AHEAD_BYTES;
    if (reading) read();
  }

  return {
    push(message) {
      waiting.push(message);
      bytes += message.length;
      readOn();
    },
    shift() {
      const message = waiting.shift();
      if (!message) return undefined;
      bytes -= message.length;
      if (!reading) readOn();
      return message;
    },
  };
}
