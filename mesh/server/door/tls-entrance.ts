import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import { status } from '@grpc/grpc-js';

import type { TrustBundle } from '#discovery';
import { errorCode } from '#kit';

import type { Connection } from './connections.ts';
import type { Entrance, EntranceOptions } from './entrance.ts';
import type { ForeignCall } from './foreign-calls.ts';
import type { ListenAs } from './listen-as.ts';
import { createPeerCertificates } from './peer-certificates.ts';
import { readPreface, type Stranger, turnAway } from './preface.ts';
import { type Proof, type ProvePeer, provePeer } from './prove-peer.ts';
import { createRefusedCertificates } from './refused-certificates.ts';
import { createTlsServer } from './tls-server.ts';

const HINT = 'This port speaks gRPC, over HTTP/2 and TLS. Use a gRPC client with a certificate of this mesh, which "npx mesh cert" writes.\n';

const IN_PLAINTEXT: ForeignCall = {
  code: status.UNAUTHENTICATED,
  sentence: 'this port speaks TLS, and takes no plaintext; use a certificate of this mesh, which `npx mesh cert` writes',
};

/** For tests alone: what comes in when a check is not made. */
export interface TlsHooks {
  readonly prove?: ProvePeer;
  /** Sessions are resumed whatever has become of the roots. */
  readonly ticketKeys?: Buffer;
  /** Connections go on when their peer's certificate is no good any more. */
  readonly keepsOutdated?: boolean;
}

/**
 * TLS ends here and not in grpc-js, which hides handshakes and gives them no end. The first byte tells TLS from plaintext;
 * then come the handshake, who the peer is, and HTTP/2's preface, all within the limit of the handshake.
 */
export function createTlsEntrance(as: ListenAs & { readonly kind: 'mtls' }, options: EntranceOptions, hooks: TlsHooks = {}): Entrance {
  const { notices, clock, random, log, connections, letIn, onError } = options;
  const { identity, permissive } = as;
  const prove = hooks.prove ?? provePeer;
  const certificates = createPeerCertificates(notices, clock, random);
  const refuse = createRefusedCertificates(notices, clock, log);
  /** Whom a handshake under way believes. */
  const begun = new WeakMap<Connection, TrustBundle>();
  let trust: TrustBundle = identity.trust();

  const tls = createTlsServer(identity, followTrust, log, hooks.ticketKeys);

  function followTrust(): void {
    const now = identity.trust();
    const before = trust;
    trust = now;
    // A root that is added takes nothing from anybody.
    if (before.trustDomain !== now.trustDomain || before.roots.some((root) => !now.roots.includes(root))) certificates.judge(now);
  }

  function judge(socket: TLSSocket, connection: Connection): Proof {
    const isUpToDate = begun.get(connection) === trust;
    try {
      return prove(socket, { address: connection.address, trust, isUpToDate, nowMs: clock.now() });
    } catch {
      // Nobody could catch it further out, and a peer must not end the process.
      return { kind: 'refused', why: 'its certificate cannot be read' };
    }
  }

  function enterSecured(socket: TLSSocket, connection: Connection): void {
    const proof = judge(socket, connection);
    if (proof.kind === 'refused') {
      refuse(connection.address, proof.why);
      return void socket.destroy();
    }
    connection.peer = proof.peer;
    if (proof.kind === 'service') certificates.add(connection, proof.leaf);
    // Without it grpc-js would take the connection for one of HTTP/1.
    if (socket.alpnProtocol !== 'h2') return strange(connection, socket, 'http1');
    readPreface(socket, () => letIn(connection, socket), (what) => strange(connection, socket, what));
  }

  function strange(connection: Connection, socket: Socket, what: Stranger): void {
    notices.note(what, connection.address);
    turnAway(socket, what, HINT);
  }

  function begin(connection: Connection): void {
    begun.set(connection, tls.trust);
    tls.server.emit('connection', connection.socket);
  }

  /** Where it is not taken, its calls are answered all the same, each with the same words: gRPC clients show nothing else to whoever called. */
  function enterPlain(connection: Connection): void {
    if (!permissive) {
      notices.note('plaintext', connection.address);
      connection.refused = IN_PLAINTEXT;
    }
    letIn(connection, connection.socket);
  }

  tls.server.on('secureConnection', (socket) => {
    socket.on('error', (error) => onError(error, socket));
    const connection = connections.of(socket);
    // Only one that has begun with TLS: another may have come with the same numbers since, and in plaintext.
    if (connection && begun.has(connection) && !connection.transport) enterSecured(socket, connection);
    else socket.destroy();
  });
  tls.server.on('tlsClientError', (err, socket) => {
    // A peer that went away is nothing to speak of, nor one that was sent away.
    if (errorCode(err) !== 'ECONNRESET') notices.note('tls-failed', socket.remoteAddress);
    log.debug({ err, peer: socket.remoteAddress }, 'a TLS handshake failed');
    socket.destroy();
  });

  return {
    enter(connection) {
      const { socket } = connection;
      readPreface(socket, () => enterPlain(connection), (what) => (what === 'tls' ? begin(connection) : strange(connection, socket, what)));
    },
    sweep: hooks.keepsOutdated ? () => {} : certificates.sweep,
    stop: tls.stop,
  };
}
