import type { Socket } from 'node:net';

/** What every HTTP/2 connection begins with (RFC 9113, 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** The type of a TLS record that begins a connection (RFC 8446, 5.1); no word begins with it. */
const TLS_HANDSHAKE = 0x16;
/** `PRI` is the word that HTTP/2 keeps others from using. */
const HTTP_1_METHOD = /^(?!PRI )[A-Z]{3,7} /;

/** What a peer speaks when it does not speak HTTP/2. */
export type Stranger = 'http1' | 'tls' | 'noise';

/**
 * Reads a new connection until its preface is there, puts everything back and calls `known`; or says at the first byte
 * that is wrong what it was instead. Nothing of HTTP/2 is set up for a peer that never says a word.
 */
export function readPreface(socket: Socket, known: () => void, strange: (what: Stranger) => void): void {
  let read: Buffer = Buffer.alloc(0);
  const onReadable = (): void => {
    for (let chunk: Buffer | null; (chunk = socket.read() as Buffer | null) !== null; ) {
      read = read.length === 0 ? chunk : Buffer.concat([read, chunk]);
    }
    const length = Math.min(read.length, PREFACE.length);
    const fits = read.compare(PREFACE, 0, length, 0, length) === 0;
    if (fits && length < PREFACE.length) return;
    socket.off('readable', onReadable);
    socket.unshift(read);
    if (fits) known();
    else strange(strangerOf(read));
  };
  socket.on('readable', onReadable);
}

/** Ends the connection of a peer that speaks something else; a person with a browser gets the hint. */
export function turnAway(socket: Socket, what: Stranger, hint: string): void {
  if (what !== 'http1') return void socket.destroy();
  socket.resume();
  socket.write(http1Answer(hint), 'latin1');
  socket.destroySoon();
}

function http1Answer(text: string): string {
  const head = ['HTTP/1.1 505 HTTP Version Not Supported', 'content-type: text/plain; charset=utf-8', `content-length: ${text.length}`, 'connection: close'];
  return [...head, '', text].join('\r\n');
}

function strangerOf(read: Buffer): Stranger {
  if (read[0] === TLS_HANDSHAKE) return 'tls';
  return HTTP_1_METHOD.test(read.toString('latin1', 0, 8)) ? 'http1' : 'noise';
}
