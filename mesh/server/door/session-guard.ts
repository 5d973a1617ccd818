import { constants, type Http2Session, type ServerHttp2Session } from 'node:http2';

import type { Clock } from '#kit';

import { Allowance } from './allowance.ts';
import type { Connection } from './connections.ts';
import type { DoorLimits } from './limits.ts';
import type { Notices } from './notices.ts';

/** A PING frame, and so its answer (RFC 9113, 6.7). */
const PING_BYTES = 17;
/** The words that make gRPC clients ping half as often (gRFC A8). */
const TOO_MANY_PINGS = Buffer.from('too_many_pings');

/** Sets a session up once it has made its first call: a wider window, an eye on its pings, and what grpc-js forgot. */
export function guardSession(connection: Connection, session: Http2Session, limits: DoorLimits, clock: Clock, notices: Notices): void {
  // A session that has streams of a server is a server's.
  silenceGoneStreams(session as ServerHttp2Session);
  if (Number.isFinite(limits.windowBytes)) session.setLocalWindowSize(limits.windowBytes);
  watchPings(connection, session, new Allowance(limits.pings, clock), () => {
    notices.note('ping-flood', connection.address);
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, TOO_MANY_PINGS);
    session.destroy();
  });
}

/**
 * Pings among other traffic are free, as gRFC A8 has it: Go clients measure the connection with one for each message
 * they get. Other traffic is what we wrote beyond the answers to pings.
 */
function watchPings({ socket, transport = socket }: Connection, session: Http2Session, allowance: Allowance, flood: () => void): void {
  let written = transport.bytesWritten;
  let answers = 0;
  session.on('ping', () => {
    if (session.destroyed) return;
    if (transport.bytesWritten - written > answers * PING_BYTES) {
      written = transport.bytesWritten;
      answers = 0;
      allowance.refill();
    }
    answers += 1;
    if (!allowance.take()) flood();
  });
}

/**
 * Keeps a peer from ending the process. grpc-js hears of a call one tick after Node; to one of an unknown method or content
 * type it responds at once, which throws, where nobody can catch it, when the stream has gone in between: refused by the
 * door, reset, or with its connection. This listener is called just before that.
 */
function silenceGoneStreams(session: ServerHttp2Session): void {
  session.prependListener('stream', (stream) => {
    if (stream.closed || stream.destroyed) stream.respond = () => {};
  });
}
