import type { X509Certificate } from 'node:crypto';
import { constants, type Http2Session } from 'node:http2';

import { peerService, type TrustBundle } from '#discovery';
import type { Clock, Random } from '#kit';

import type { Connection } from './connections.ts';
import { LAST_STREAM_ID } from './last-stream-id.ts';
import type { Notices } from './notices.ts';

/** A connection ends at most so long before its peer's certificate does, so that those of one hour do not end together. */
const MAX_EARLY_MS = 60_000;
/** What of the time that is left it may be at most: 6 s where a minute is left. */
const EARLY_SHARE = 0.1;
/** Connections whose root is gone end within so long, not all in one moment. */
const SPREAD_MS = 1_000;
/** How long calls may take to end on a connection whose peer is nobody any more. */
const GRACE_MS = 5_000;

/** The certificates that the peers of open connections have shown. */
export interface PeerCertificates {
  add(connection: Connection, leaf: X509Certificate): void;
  /** A root is gone: looks at each again. Of a leaf below an authority that is no root it cannot tell, and has its peer connect anew. */
  judge(trust: TrustBundle): void;
  /** Ends connections whose peer has no good certificate any more. */
  sweep(): void;
}

interface Shown {
  readonly leaf: X509Certificate;
  /** When the connection is to end. */
  endMs: number;
  /** When its peer was asked to leave; undefined while it was not. */
  askedMs: number | undefined;
}

/**
 * A connection outlives the handshake by half an hour and more; what was proved there need not. When the peer's certificate
 * expires, or no root stands behind it any more, the peer is sent away with GOAWAY, new calls go over a new connection, and
 * calls in flight have 5 s to end.
 */
export function createPeerCertificates(notices: Notices, clock: Clock, random: Random): PeerCertificates {
  const all = new Map<Connection, Shown>();

  function end(connection: Connection, shown: Shown, nowMs: number): void {
    const { session, socket } = connection;
    if (shown.askedMs === undefined) {
      notices.note('outdated-certificate', connection.address);
      shown.askedMs = nowMs;
      if (isOpen(session)) return session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM_ID);
    }
    if (!isOpen(session) || nowMs - shown.askedMs >= GRACE_MS) {
      session?.destroy();
      return void socket.destroy();
    }
    session.close();
  }

  return {
    add(connection, leaf) {
      const nowMs = clock.now();
      const expiresMs = leaf.validToDate.getTime();
      const earlyMs = Math.min(MAX_EARLY_MS, EARLY_SHARE * (expiresMs - nowMs)) * random.number();
      all.set(connection, { leaf, endMs: expiresMs - earlyMs, askedMs: undefined });
      connection.socket.once('close', () => void all.delete(connection));
    },
    judge(trust) {
      const nowMs = clock.now();
      // The connections of one process show one certificate, and a signature takes 0.1 ms to check.
      const verdicts = new Map<string, boolean>();
      for (const shown of all.values()) {
        const { fingerprint256 } = shown.leaf;
        const isGood = verdicts.get(fingerprint256) ?? peerService([shown.leaf], trust, nowMs).kind === 'trusted';
        verdicts.set(fingerprint256, isGood);
        if (!isGood) shown.endMs = Math.min(shown.endMs, nowMs + SPREAD_MS * random.number());
      }
    },
    sweep() {
      const nowMs = clock.now();
      for (const [connection, shown] of all) if (nowMs >= shown.endMs) end(connection, shown, nowMs);
    },
  };
}

/** One that is closed still has calls that end; one that is destroyed has nothing. */
function isOpen(session: Http2Session | undefined): session is Http2Session {
  return session !== undefined && !session.destroyed;
}
