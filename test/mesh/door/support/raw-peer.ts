import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const SETTINGS = 0x4;
export const PING = 0x6;

/** An HTTP/2 frame (RFC 9113, 4.1). */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** What a client that knows HTTP/2 begins with. */
export const GREETING = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)]);
export const PING_FRAME = frame(PING, 0, 0, Buffer.alloc(8));

/** A peer that sends what it likes. */
export interface RawPeer {
  readonly socket: Socket;
  send(bytes: Uint8Array | string): void;
  /** Everything that the server said. */
  heard(): string;
  isClosed(): boolean;
}

/** Peers of a test, all gone at its end. */
export function useRawPeers(port: () => number): () => Promise<RawPeer> {
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  return async () => {
    const socket = connect(port(), '127.0.0.1');
    sockets.push(socket);
    let heard = '';
    socket.on('data', (bytes) => (heard += bytes.toString('latin1')));
    // It is cut off, which is the point.
    socket.on('error', () => {});
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
    return { socket, send: (bytes) => void socket.write(bytes), heard: () => heard, isClosed: () => socket.closed };
  };
}
