import { Readable } from 'node:stream';

/** The bytes of a mail, as a stream that knows whether they have left. */
export interface LeavingMail {
  readonly stream: Readable;
  /** Keeps what has not left from leaving, and says what has: resolves once `handOver` is over, if it has begun. */
  abandon(): Promise<Leaving>;
}

/** `kept`: nothing has left. `refused`: nothing has, for `handOver` rejected with this. `begun`: something may have. */
export type Leaving = { readonly kind: 'kept' } | { readonly kind: 'refused'; readonly thrown: unknown } | { readonly kind: 'begun' };

/** A stream is read once the server has said that it is ready for the mail, and `handOver` comes before its first byte. */
export function createLeavingMail(bytes: Buffer, handOver: () => Promise<void>): LeavingMail {
  let leaving: Leaving = { kind: 'kept' };
  let isAbandoned = false;
  let handing: Promise<void> | undefined;

  /** Never rejects. */
  async function handOverNow(): Promise<void> {
    try {
      await handOver();
      // The server may have hung up meanwhile.
      if (!isAbandoned) leaving = { kind: 'begun' };
    } catch (thrown) {
      leaving = { kind: 'refused', thrown };
    }
  }

  async function* read(): AsyncIterable<Buffer> {
    await (handing = handOverNow());
    // Not with what `handOver` has thrown: the mail library writes a code of its own into it.
    if (leaving.kind !== 'begun') throw new Error('the mail was not handed over');
    yield bytes;
  }

  const stream = Readable.from(read(), { objectMode: false });
  return {
    stream,
    async abandon() {
      isAbandoned = true;
      stream.destroy();
      await handing;
      return leaving;
    },
  };
}
