import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

import { type Server, ServerCredentials } from '@grpc/grpc-js';

import { type Clock, errorCode, type Log } from '#kit';

import type { OpenCalls } from '../open-calls.ts';
import { guardCalls } from './call-guard.ts';
import { createConnections } from './connections.ts';
import { createDrain, type Drain } from './drain.ts';
import { DOOR_LIMITS, type DoorLimits } from './limits.ts';
import { createListener } from './listener.ts';
import { createNotices, type Notice, type Notices } from './notices.ts';
import { readPreface, turnAway } from './preface.ts';
import { guardSession } from './session-guard.ts';

/** How often limits of time are looked at. */
const SWEEP_MS = 500;
/** The largest id of a call, which a GOAWAY names that names none (RFC 9113, 6.8). */
const LAST_STREAM_ID = 2 ** 31 - 1;

export interface DoorOptions {
  /** Gets the connections that are let in. Make it with `serverOptionsOf(limits)`. */
  readonly server: Server;
  readonly open: OpenCalls;
  /** Whether requests to a path are one message, not a stream of them. */
  readonly takesOneMessage: (path: string) => boolean;
  /** Is told of each stream just before grpc-js is. */
  readonly onStream?: (stream: ServerHttp2Stream) => void;
  /** Default: {@link DOOR_LIMITS}. */
  readonly limits?: DoorLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/** What has happened at the door, by name of the limit, and how many connections there are. */
export interface DoorCounts extends Readonly<Record<Notice, number>> {
  readonly connections: number;
  readonly accepted: number;
}

/** Where callers come in: listens, keeps the limits, and closes without losing a call. */
export interface Door extends Drain {
  /** Starts listening. Port 0 takes a free one; returns the port. PORT_IN_USE, INVALID_SETTING when the machine lacks the address. */
  listen(address: string, port: number): Promise<number>;
  read(): DoorCounts;
}

/**
 * Our own listener in front of grpc-js, which has most of these limits not at all. A connection is counted, then heard
 * until its HTTP/2 preface, then handed over; TLS will end between the first and the second.
 */
export function createDoor({ server, open, takesOneMessage, onStream = () => {}, limits = DOOR_LIMITS, clock, log }: DoorOptions): Door {
  const notices = createNotices(log, clock);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const connections = createConnections(limits, notices, clock, (connection, session) => {
    guardSession(connection, session, limits, clock, notices);
    session.prependListener('stream', onStream);
  });
  const closed = new AbortController();
  let accepted = 0;

  function welcome(socket: Socket): void {
    socket.on('error', (err) => noteError(err, socket, notices, log));
    if (!connections.admit(socket)) return;
    accepted += 1;
    readPreface(
      socket,
      () => injector.injectConnection(socket),
      (what) => {
        notices.note(what, socket.remoteAddress);
        turnAway(socket, what);
      },
    );
  }

  const listener = createListener(limits.maxConnections, welcome, (peer) => notices.note('too-many-connections', peer));

  async function keepWatch(): Promise<void> {
    const calls = guardCalls({ limits, connections, takesOneMessage, notices, clock });
    while (!closed.signal.aborted) {
      connections.sweep();
      calls.sweep();
      notices.flush();
      await clock.sleep(SWEEP_MS, closed.signal).catch(() => {});
    }
    calls.stop();
  }

  const drain = createDrain(
    {
      open,
      shut: listener.close,
      announce() {
        const sessions = connections.sessions();
        for (const session of sessions) session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM_ID);
        return sessions.length;
      },
      goAway() {
        connections.destroySilent();
        injector.destroy();
      },
      whenGone: connections.whenNone,
      destroy() {
        closed.abort();
        connections.destroyAll();
      },
    },
    clock,
  );

  return {
    ...drain,
    async listen(address, port) {
      const bound = await listener.listen(address, port);
      void keepWatch();
      return bound;
    },
    read: () => ({ ...notices.read(), connections: connections.size, accepted }),
  };
}

/** A peer that went away is nothing to speak of; one that broke the protocol is counted. */
function noteError(err: Error, { remoteAddress }: Socket, notices: Notices, log: Log): void {
  if (errorCode(err)?.startsWith('ERR_HTTP2')) notices.note('protocol-error', remoteAddress);
  log.debug({ err, peer: remoteAddress }, 'a connection broke');
}
