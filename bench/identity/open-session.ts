import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';

import type { Shown } from './shown.ts';

/** A busy machine takes its time. */
const WITHIN_MS = 20_000;

export type OpenSession = () => Promise<void>;

/**
 * Connects as a client by hand that may offer a session of TLS, which no gRPC client in Node does. Ends the connection when
 * the server's SETTINGS are there.
 *
 * @param resumes whether it offers the session that it was given last; the first connection has none to offer
 */
export function createOpenSession(port: number, { roots: ca, chain: cert, key }: Shown, resumes: boolean): OpenSession {
  const secureContext = createSecureContext({ ca, cert, key });
  let offered: Buffer | undefined;

  return async () => {
    const mayResume = resumes && offered !== undefined;
    const socket = connectTls({ host: '127.0.0.1', port, servername: 'user', ALPNProtocols: ['h2'], secureContext, ...(mayResume && { session: offered }) });
    const ticket = once(socket, 'session').then(([session]: Buffer[]) => void (offered = session));
    // Of a connection that ends first.
    ticket.catch(() => undefined);
    try {
      await settingsOf(socket);
      if (mayResume && !socket.isSessionReused()) throw new Error('a session was not resumed: this is no measurement');
      if (resumes && offered === undefined) await ticket;
    } finally {
      socket.destroy();
    }
  };
}

async function settingsOf(socket: TLSSocket): Promise<void> {
  await once(socket, 'secureConnect');
  const session = connectHttp2('https://user', { createConnection: () => socket });
  await once(session, 'remoteSettings', { signal: AbortSignal.timeout(WITHIN_MS) });
  session.destroy();
}
