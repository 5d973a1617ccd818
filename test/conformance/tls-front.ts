import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';

import type { ServerCompatRequest } from '#proto/connectrpc/conformance/v1/server_compat_pb.js';

export interface TlsFront {
  readonly port: number;
  stop(): Promise<void>;
}

/** Ends TLS in front of a plaintext port, with the certificate that the suite gives and, where it asks for them, those of callers. */
export async function startTlsFront(behind: number, { serverCreds, clientTlsCert }: ServerCompatRequest): Promise<TlsFront> {
  if (!serverCreds) throw new Error('the suite asks for TLS and gives no certificate');
  const callers = clientTlsCert.length > 0 ? { ca: Buffer.from(clientTlsCert), requestCert: true, rejectUnauthorized: true } : {};
  const options = { cert: Buffer.from(serverCreds.cert), key: Buffer.from(serverCreds.key), ALPNProtocols: ['h2'], ...callers };
  const open = new Set<Socket>();
  const server = createServer(options, (front) => {
    const back = connect(behind, '127.0.0.1');
    for (const [socket, other] of [[front, back], [back, front]] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy());
      socket.once('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // A server that listens on an address has one.
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
