import { once } from 'node:events';
import { connect } from 'node:tls';

import type { TrustBundle } from '#discovery';

import type { Shown } from '../discovery/support/held-identity.ts';

/** The fingerprint of the certificate that a server shows; undefined where it does not take ours. */
export async function shakeHands(port: number, { chainPem, keyPem }: Shown, { roots }: TrustBundle): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port, ca: [...roots], cert: chainPem, key: keyPem, ALPNProtocols: ['h2'], checkServerIdentity: () => undefined });
  const fingerprint = once(socket, 'secureConnect').then(() => socket.getPeerX509Certificate()?.fingerprint256);
  // In TLS 1.3 the client is done first: that it was refused shows in what comes next, and a good server begins with its settings.
  const isTaken = once(socket, 'data').then(
    () => true,
    () => false,
  );
  const isClosed = once(socket, 'close').then(
    () => false,
    () => false,
  );
  try {
    const shown = await fingerprint;
    return (await Promise.race([isTaken, isClosed])) ? shown : undefined;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}
