import type { X509Certificate } from 'node:crypto';
import type { Http2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';

import { listenToHttp2Calls } from '../../../../mesh/server/door/http2-calls.ts';

/** What the two ends of a connection have shown each other. */
export interface ServedConnection {
  readonly caller: X509Certificate;
  readonly server: X509Certificate;
}

/** The connections with certificates to the servers of this process. */
export interface ServedConnections {
  /** Those that are open, and were called over. */
  open(): readonly ServedConnection[];
  /** How many there have been. */
  count(): number;
  stop(): void;
}

export function watchServedConnections(): ServedConnections {
  const all = new Map<Http2Session, ServedConnection>();
  let count = 0;

  function note(session: Http2Session): void {
    // A proxy of the socket, which has the functions of TLS where that is spoken.
    const socket = session.socket as Partial<TLSSocket>;
    const [caller, server] = [socket.getPeerX509Certificate?.(), socket.getX509Certificate?.()];
    // Consul's checks show none.
    if (!caller || !server) return;
    count += 1;
    all.set(session, { caller, server });
    session.once('close', () => all.delete(session));
  }

  const stop = listenToHttp2Calls({
    onCreated({ session }) {
      if (session && !all.has(session)) note(session);
    },
    onClosed() {},
  });
  return { open: () => [...all.values()], count: () => count, stop };
}
