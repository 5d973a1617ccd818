import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

import { type Server, ServerCredentials } from '@grpc/grpc-js';

import { type Clock, errorCode, type Log, type Random, systemRandom } from '#kit';

import type { Peer } from '../../identity/peer.ts';
import type { OpenCalls } from '../open-calls.ts';
import { guardCalls } from './call-guard.ts';
import { type Connection, createConnections } from './connections.ts';
import { createDrain, type Drain } from './drain.ts';
import type { EntranceOptions } from './entrance.ts';
import { LAST_STREAM_ID } from './last-stream-id.ts';
import { DOOR_LIMITS, type DoorLimits } from './limits.ts';
import { type ListenAs, PLAINTEXT } from './listen-as.ts';
import { createListener } from './listener.ts';
import { createNotices, type Notice, type Notices } from './notices.ts';
import { createPlaintextEntrance } from './plaintext-entrance.ts';
import { guardSession } from './session-guard.ts';
import { createTlsEntrance, type TlsHooks } from './tls-entrance.ts';

/** How often limits of time are looked at. */
const SWEEP_MS = 500;

export interface DoorOptions {
  /** Gets the connections that are let in. Make it with `serverOptionsOf(limits)`. */
  readonly server: Server;
  readonly open: OpenCalls;
  /** Whether requests to a path are one message, not a stream of them. */
  readonly takesOneMessage: (path: string) => boolean;
  /** Is told of each stream, and of who opened it, just before grpc-js is told of the stream. */
  readonly onStream?: (stream: ServerHttp2Stream, peer: Peer) => void;
  /** Default: {@link DOOR_LIMITS}. */
  readonly limits?: DoorLimits;
  /** Default: plaintext from anybody. */
  readonly as?: ListenAs;
  readonly tlsHooks?: TlsHooks | undefined;
  readonly clock: Clock;
  /** Default: the system's. */
  readonly random?: Random;
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
 * Our own listener in front of grpc-js, which has most of these limits not at all. A connection is counted; then TLS ends
 * where the port has it, and it shows who the peer is; then it is heard until its HTTP/2 preface, and handed over.
 */
export function createDoor(options: DoorOptions): Door {
  const { server, open, takesOneMessage, onStream = () => {}, limits = DOOR_LIMITS, as = PLAINTEXT, clock, random = systemRandom, log } = options;
  const notices = createNotices(log, clock);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const connections = createConnections(limits, notices, clock, (connection, session) => {
    guardSession(connection, session, limits, clock, notices);
    session.prependListener('stream', (stream: ServerHttp2Stream) => onStream(stream, connection.peer));
  });
  const closed = new AbortController();
  let accepted = 0;

  const onError = (error: Error, socket: Socket): void => noteError(error, socket, notices, log);

  function letIn(connection: Connection, transport: Socket): void {
    connections.speak(connection, transport);
    injector.injectConnection(transport);
  }

  const parts: EntranceOptions = { connections, letIn, onError, notices, clock, random, log };
  const entrance = as.kind === 'mtls' ? createTlsEntrance(as, parts, options.tlsHooks) : createPlaintextEntrance(as.peer, parts);

  function welcome(socket: Socket): void {
    socket.on('error', (error) => onError(error, socket));
    const connection = connections.admit(socket);
    if (!connection) return;
    accepted += 1;
    entrance.enter(connection);
  }

  const listener = createListener(limits.maxConnections, welcome, (peer) => notices.note('too-many-connections', peer));

  async function keepWatch(): Promise<void> {
    const calls = guardCalls({ limits, connections, takesOneMessage, notices, clock });
    try {
      while (!closed.signal.aborted) {
        for (const look of [connections.sweep, entrance.sweep, calls.sweep, notices.flush]) attempt(look, log);
        await clock.sleep(SWEEP_MS, closed.signal).catch(() => {});
      }
    } finally {
      calls.stop();
    }
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
        entrance.stop();
        connections.destroyAll();
      },
    },
    clock,
  );

  return {
    ...drain,
    async listen(address, port) {
      try {
        const bound = await listener.listen(address, port);
        void keepWatch();
        return bound;
      } catch (thrown) {
        entrance.stop();
        throw thrown;
      }
    },
    read: () => ({ ...notices.read(), connections: connections.size, accepted }),
  };
}

/** What fails is tried again in the next round: nobody waits for the watch, so its failure would end the process. */
function attempt(look: () => void, log: Log): void {
  try {
    look();
  } catch (err) {
    log.error({ err }, 'the door could not look at one of its limits');
  }
}

/** A peer that went away is nothing to speak of; one that broke the protocol is counted. */
function noteError(err: Error, { remoteAddress }: Socket, notices: Notices, log: Log): void {
  if (errorCode(err)?.startsWith('ERR_HTTP2')) notices.note('protocol-error', remoteAddress);
  log.debug({ err, peer: remoteAddress }, 'a connection broke');
}
