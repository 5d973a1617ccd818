import type { Socket } from 'node:net';

/** What every HTTP/2 connection begins with (RFC 9113, 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Type and major version of a TLS record (RFC 8446, 5.1). */
const TLS_HANDSHAKE = Buffer.from([0x16, 0x03]);
/** `PRI` is the word that HTTP/2 keeps others from using. */
const HTTP_1_METHOD = /^(?!PRI )[A-Z]{3,7} /;

const HTTP_1_TEXT = 'This port speaks gRPC, over HTTP/2 without an upgrade. Use a gRPC client, such as grpcurl -plaintext.\n';
const HTTP_1_ANSWER = [
  'HTTP/1.1 505 HTTP Version Not Supported',
  'content-type: text/plain; charset=utf-8',
  `content-length: ${HTTP_1_TEXT.length}`,
  'connection: close',
  '',
  HTTP_1_TEXT,
].join('\r\n');

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
    if (!fits) return strange(strangerOf(read));
    socket.unshift(read);
    known();
  };
  socket.on('readable', onReadable);
}

/** Ends the connection of a peer that speaks something else; a person with a browser is told why. */
export function turnAway(socket: Socket, what: Stranger): void {
  if (what !== 'http1') return void socket.destroy();
  socket.write(HTTP_1_ANSWER, 'latin1');
  socket.destroySoon();
}

function strangerOf(read: Buffer): Stranger {
  if (read.subarray(0, 2).equals(TLS_HANDSHAKE)) return 'tls';
  return HTTP_1_METHOD.test(read.toString('latin1', 0, 8)) ? 'http1' : 'noise';
}
