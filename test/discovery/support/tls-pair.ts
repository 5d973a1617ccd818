import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { peerService, type PeerVerdict, type TrustBundle } from '#discovery';

/** What one side of a connection shows and believes. */
export interface TlsParty {
  readonly chainPem: string;
  readonly keyPem: string;
  readonly trust: TrustBundle;
}

export interface Handshake {
  /** What the client thinks of the server, and the other way round; undefined where TLS itself ended it. */
  readonly server: PeerVerdict | undefined;
  readonly client: PeerVerdict | undefined;
}

/** One handshake with certificates on both sides, through Node's TLS. `isStrict: false` switches TLS's own check of chains off. */
export async function shakeHands(server: TlsParty, client: TlsParty, isStrict = true): Promise<Handshake> {
  const verdicts: { server?: PeerVerdict; client?: PeerVerdict } = {};
  const listening = createServer({ ...secrets(server), requestCert: true, rejectUnauthorized: isStrict }, (socket) => {
    verdicts.client = verdictOn(socket, server.trust);
    socket.on('error', () => undefined);
    socket.end('hello');
  });
  listening.on('tlsClientError', (_, socket) => socket.destroy());
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, ...secrets(client), rejectUnauthorized: isStrict, checkServerIdentity: () => undefined });
  socket.on('secureConnect', () => (verdicts.server = verdictOn(socket, client.trust)));
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'close').catch(() => undefined);
  const closed = once(listening, 'close');
  listening.close();
  await closed;
  return { server: verdicts.server, client: verdicts.client };
}

function secrets({ chainPem, keyPem, trust }: TlsParty) {
  return { cert: chainPem, key: keyPem, ca: [...trust.roots], minVersion: 'TLSv1.3' as const };
}

function verdictOn(socket: TLSSocket, trust: TrustBundle): PeerVerdict {
  const chain = [];
  for (let certificate = socket.getPeerX509Certificate(); certificate; certificate = certificate.issuerCertificate) {
    chain.push(certificate);
    if (chain.length > 8 || certificate.issuerCertificate === certificate) break;
  }
  return peerService(chain, trust, Date.now(), socket.authorized && !socket.isSessionReused());
}
