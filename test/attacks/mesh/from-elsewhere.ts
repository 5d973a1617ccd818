import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';

import type { Stoppable } from '#kit';

/**
 * An address of this machine from which its ports on loopback see somebody who is not on loopback, without a port that other
 * machines could reach. Linux alone lets a connection come from there; undefined elsewhere, and where there is no network.
 */
export function addressElsewhere(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const addresses = Object.values(networkInterfaces()).flatMap((all = []) => all);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

/** A port on loopback whose connections go on to another one as from this address: grpc-js cannot say where its own come from. */
export async function relayFrom(address: string, port: number): Promise<Stoppable & { readonly port: number }> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port, localAddress: address });
    for (const socket of [near, far]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      socket.on('error', () => undefined).once('close', () => [near, far].forEach((each) => each.destroy()));
    }
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : 0,
    stop: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
