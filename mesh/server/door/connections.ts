import type { Http2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

import type { Clock } from '#kit';

import { type Peer, unprovedPeer } from '../../identity/peer.ts';
import { Occasion } from '../occasion.ts';
import { Allowance } from './allowance.ts';
import type { ForeignCall } from './foreign-calls.ts';
import type { DoorLimits } from './limits.ts';
import type { Notices } from './notices.ts';

/** Preface and an empty SETTINGS frame: a connection that has sent as much, and was not cut off, speaks HTTP/2. */
const HANDSHAKE_BYTES = 24 + 9;

/** One connection that was let in. */
export interface Connection {
  /** As it was accepted: what is encrypted comes in here. */
  readonly socket: Socket;
  /** What HTTP/2 is spoken on: the same, or TLS above it. Undefined until then. */
  transport: Socket | undefined;
  /** The peer's address, without the port. */
  readonly address: string;
  /** Who that is; nobody until it has proved it. */
  peer: Peer;
  /** What each of its calls is answered with; undefined where they are served. */
  refused: ForeignCall | undefined;
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
  /** The connection of a socket, or of TLS above it. */
  of(socket: Socket): Connection | undefined;
  /** HTTP/2 is about to be spoken on this socket, which is the connection's own or TLS above it. */
  speak(connection: Connection, transport: Socket): void;
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
  /**
   * What its connection is known by to the socket that HTTP/2 is spoken on. Four numbers would not do: a peer that resets its
   * connection may be here again with the same ones before we have heard of its end. A session shows no socket but a proxy
   * of it, which hands on whatever stands there: https://nodejs.org/api/http2.html#http2sessionsocket
   */
  const mark = Symbol('the connection of this door');
  /** Those that have not made a call yet, oldest first. */
  const arriving = new Set<Connection>();
  const perPeer = new Map<string, number>();
  const known = new WeakMap<Http2Session, Connection | typeof FOREIGN>();
  const noneLeft = new Occasion();

  function forget(key: string, connection: Connection): void {
    if (all.get(key) !== connection) return;
    all.delete(key);
    arriving.delete(connection);
    const left = (perPeer.get(connection.address) ?? 1) - 1;
    if (left > 0) perPeer.set(connection.address, left);
    else perPeer.delete(connection.address);
    if (all.size === 0) noneLeft.come();
  }

  /** Its peer has ended the one before it, of which we have not heard yet. */
  function replace(key: string): void {
    const before = all.get(key);
    if (!before) return;
    before.socket.destroy();
    forget(key, before);
  }

  function firstCall(session: Http2Session): Connection | undefined {
    // A socket has no such field in its type; only `speak` writes it.
    const connection = (session.socket as Marked)[mark];
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
      const address = socket.remoteAddress;
      // Gone before its turn came.
      if (address === undefined) return void socket.destroy();
      const key = keyOf(socket);
      replace(key);
      const count = perPeer.get(address) ?? 0;
      if (count >= limits.maxConnectionsPerPeer) {
        notices.note('too-many-of-peer', address);
        return void socket.resetAndDestroy();
      }
      const resets = new Allowance(limits.resets, clock);
      const unknown = { transport: undefined, peer: unprovedPeer(address), refused: undefined, session: undefined };
      const connection: Connection = { socket, address, ...unknown, sinceMs: clock.now(), calls: new Set(), resets };
      perPeer.set(address, count + 1);
      all.set(key, connection);
      arriving.add(connection);
      socket.once('close', () => forget(key, connection));
      return connection;
    },
    of: (socket) => all.get(keyOf(socket)),
    speak(connection, transport) {
      connection.transport = transport;
      (transport as Marked)[mark] = connection;
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
        notices.note(fault, connection.address);
        connection.socket.destroy();
      }
    },
    destroySilent() {
      for (const connection of arriving) if (!hasSpoken(connection)) connection.socket.destroy();
    },
    destroyAll() {
      for (const { socket } of all.values()) socket.destroy();
    },
    whenNone: (signal) => (all.size === 0 ? Promise.resolve() : noneLeft.wait(signal)),
  };
}

type Marked = Socket & { [mark: symbol]: Connection | undefined };

const FOREIGN = Symbol('a session of another server');

/** One socket of this process: a peer may use the same port of its own towards several of our servers. */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function hasSpoken({ transport }: Connection): boolean {
  return transport !== undefined && transport.bytesRead >= HANDSHAKE_BYTES;
}

function faultOf(connection: Connection, limits: DoorLimits, nowMs: number): 'slow-handshake' | 'too-much-before-call' | undefined {
  if (connection.socket.bytesRead > limits.maxBytesBeforeCall) return 'too-much-before-call';
  return !hasSpoken(connection) && nowMs - connection.sinceMs >= limits.handshakeMs ? 'slow-handshake' : undefined;
}
