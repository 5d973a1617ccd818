import type { Http2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

import type { Clock } from '#kit';

import { Occasion } from '../occasion.ts';
import { Allowance } from './allowance.ts';
import type { DoorLimits } from './limits.ts';
import type { Notices } from './notices.ts';

/** Preface and an empty SETTINGS frame: a connection that has sent as much, and was not cut off, speaks HTTP/2. */
const HANDSHAKE_BYTES = 24 + 9;

/** One connection that was let in. */
export interface Connection {
  readonly socket: Socket;
  /** The peer's address, without the port. */
  readonly peer: string;
  readonly sinceMs: number;
  /** Its HTTP/2 session, known since its first call: grpc-js shows it no sooner. */
  session: Http2Session | undefined;
  /** Streams of its calls, until they are closed. */
  readonly calls: Set<ServerHttp2Stream>;
  /** Calls that the peer may yet cancel. */
  readonly resets: Allowance;
}

/** The connections of a door. */
export interface Connections {
  readonly size: number;
  /** Lets a socket in, or closes it when there are too many. */
  admit(socket: Socket): Connection | undefined;
  /** The connection of a session; undefined for one of another server in this process. */
  find(session: Http2Session): Connection | undefined;
  all(): Iterable<Connection>;
  /** Those whose sessions are known. */
  sessions(): Http2Session[];
  /** Closes those that are slow to begin. */
  sweep(): void;
  /** Closes those that have not begun to speak HTTP/2. */
  destroySilent(): void;
  destroyAll(): void;
  /** Resolves once none is left; also when the signal aborts. */
  whenNone(signal: AbortSignal): Promise<void>;
}

/** `onSession` is told of each connection's session when it makes its first call. */
export function createConnections(
  limits: DoorLimits,
  notices: Notices,
  clock: Clock,
  onSession: (connection: Connection, session: Http2Session) => void,
): Connections {
  const all = new Map<string, Connection>();
  /** Those that have not made a call yet, oldest first. */
  const arriving = new Set<Connection>();
  const perPeer = new Map<string, number>();
  const known = new WeakMap<Http2Session, Connection | typeof FOREIGN>();
  const noneLeft = new Occasion();

  function forget(key: string, connection: Connection): void {
    all.delete(key);
    arriving.delete(connection);
    const left = (perPeer.get(connection.peer) ?? 1) - 1;
    if (left > 0) perPeer.set(connection.peer, left);
    else perPeer.delete(connection.peer);
    if (all.size === 0) noneLeft.come();
  }

  function firstCall(session: Http2Session): Connection | undefined {
    const connection = all.get(keyOf(session.socket));
    known.set(session, connection ?? FOREIGN);
    if (!connection) return undefined;
    connection.session = session;
    arriving.delete(connection);
    onSession(connection, session);
    return connection;
  }

  return {
    get size() {
      return all.size;
    },
    admit(socket) {
      const peer = socket.remoteAddress;
      // Gone before its turn came.
      if (peer === undefined) return void socket.destroy();
      const count = perPeer.get(peer) ?? 0;
      if (count >= limits.maxConnectionsPerPeer) {
        notices.note('too-many-of-peer', peer);
        return void socket.resetAndDestroy();
      }
      const resets = new Allowance(limits.resets, clock);
      const connection: Connection = { socket, peer, sinceMs: clock.now(), session: undefined, calls: new Set(), resets };
      const key = keyOf(socket);
      perPeer.set(peer, count + 1);
      all.set(key, connection);
      arriving.add(connection);
      socket.once('close', () => forget(key, connection));
      return connection;
    },
    find(session) {
      const found = known.get(session) ?? firstCall(session);
      return found === FOREIGN ? undefined : found;
    },
    all: () => all.values(),
    sessions: () => [...all.values()].flatMap(({ session }) => (session && !session.destroyed ? [session] : [])),
    sweep() {
      for (const connection of arriving) {
        const fault = faultOf(connection, limits, clock.now());
        if (!fault) continue;
        notices.note(fault, connection.peer);
        connection.socket.destroy();
      }
    },
    destroySilent() {
      for (const { socket } of arriving) if (socket.bytesRead < HANDSHAKE_BYTES) socket.destroy();
    },
    destroyAll() {
      for (const { socket } of all.values()) socket.destroy();
    },
    whenNone: (signal) => (all.size === 0 ? Promise.resolve() : noneLeft.wait(signal)),
  };
}

const FOREIGN = Symbol('a session of another server');

/** One socket of this process: a peer may use the same port of its own towards several of our servers. */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function faultOf({ socket, sinceMs }: Connection, limits: DoorLimits, nowMs: number): 'slow-handshake' | 'too-much-before-call' | undefined {
  if (socket.bytesRead > limits.maxBytesBeforeCall) return 'too-much-before-call';
  return socket.bytesRead < HANDSHAKE_BYTES && nowMs - sinceMs >= limits.handshakeMs ? 'slow-handshake' : undefined;
}
