import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type TLSSocket } from 'node:tls';

import type { Shown } from '../../../discovery/support/held-identity.ts';
import { ECHO, MESSAGE } from '../../door/support/open-door.ts';

export interface ByHandOptions {
  readonly port: number;
  readonly roots: readonly string[];
  readonly shown: Shown;
  /** A ticket of an earlier connection. */
  readonly ticket?: Buffer | undefined;
}

/** A connection with TLS that may resume an earlier one, which gRPC's own client never does. */
export interface ByHand {
  readonly isResumed: boolean;
  /** For a later connection; the server sends it once it has accepted the handshake. */
  ticket(): Promise<Buffer>;
  /** Makes a call. False when it did not come through. */
  call(): Promise<boolean>;
  /** Sends pings, with nothing in between. */
  ping(count: number): void;
  isClosed(): boolean;
  close(): void;
}

export async function connectByHand({ port, roots, shown, ticket }: ByHandOptions): Promise<ByHand> {
  const own = { cert: shown.chainPem, key: shown.keyPem, ca: [...roots], checkServerIdentity: () => undefined };
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ALPNProtocols: ['h2'], ...own, ...(ticket && { session: ticket }) });
  // It is cut off, which is the point.
  socket.on('error', () => {});
  const tickets = new Promise<Buffer>((resolve) => void socket.once('session', resolve));
  await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]).catch(() => {});
  const isResumed = socket.isSessionReused();
  const session = connectHttp2('https://door', { createConnection: () => socket });
  session.on('error', () => {});
  return {
    ...{ isResumed, ticket: () => tickets, call: () => echo(session) },
    ping(count) {
      for (let sent = 0; sent < count; sent += 1) if (!session.ping(() => {})) break;
    },
    isClosed: () => socket.closed,
    close: () => session.destroy(),
  };
}

async function echo(session: ClientHttp2Session): Promise<boolean> {
  if (session.closed || session.destroyed) return false;
  const stream = session.request({ ':method': 'POST', ':path': ECHO, 'content-type': 'application/grpc', te: 'trailers' });
  stream.on('error', () => {});
  let answered = false;
  stream.on('data', () => void (answered = true));
  stream.end(MESSAGE);
  await Promise.race([once(stream, 'close'), once(session, 'close')]).catch(() => {});
  return answered;
}
