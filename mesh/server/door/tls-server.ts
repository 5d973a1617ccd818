import { createServer, type SecureContextOptions, type Server } from 'node:tls';

import type { ServiceIdentity, TrustBundle } from '#discovery';
import type { Log } from '#kit';

/** Ends TLS as a service. */
export interface TlsServer {
  /** Never listens: give it sockets as its event `connection`. */
  readonly server: Server;
  /** Whom a handshake that begins now believes. */
  readonly trust: TrustBundle;
  /** No longer follows the identity. */
  stop(): void;
}

/**
 * TLS 1.3 alone, which every gRPC library has, with HTTP/2 alone. A new leaf or another set of roots is for new connections;
 * those that there are go on. With each change come new keys for tickets, which Node makes by itself: no session is resumed
 * that was begun under other roots.
 *
 * @param ticketKeys the same for ever: for tests of what that would allow
 */
export function createTlsServer(identity: ServiceIdentity, onChange: () => void, log: Log, ticketKeys?: Buffer): TlsServer {
  // Whose certificate it is, and whether it is needed, is judged when the handshake is done.
  const asked = { requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['h2'] };
  const server = createServer({ ...asked, ...contextOf(identity, ticketKeys) });
  let trust = identity.trust();

  function follow(): void {
    try {
      server.setSecureContext(contextOf(identity, ticketKeys));
      trust = identity.trust();
    } catch (err) {
      log.error({ err, service: identity.service }, 'a certificate that cannot be used was renewed to; the one before it stays in use');
    }
    onChange();
  }

  const stop = identity.onChange(follow);
  return {
    server,
    get trust() {
      return trust;
    },
    stop,
  };
}

function contextOf(identity: ServiceIdentity, ticketKeys: Buffer | undefined): SecureContextOptions & { readonly ticketKeys?: Buffer } {
  const { chainPem, privateKey } = identity.leaf();
  return {
    cert: chainPem,
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    ca: [...identity.trust().roots],
    minVersion: 'TLSv1.3',
    ...(ticketKeys && { ticketKeys }),
  };
}
