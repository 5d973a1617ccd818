import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

import type { Stoppable } from '#kit';

/** Stands between the gateway and Stripe, to be the network that fails. */
export interface LosingProxy extends Stoppable {
  readonly url: string;
  /** The next `count` answers get lost: the request has arrived, the connection breaks. */
  loseAnswers(count: number): void;
  /** How many answers were lost so far. */
  lost(): number;
}

export async function startLosingProxy(targetUrl: string): Promise<LosingProxy> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  let toLose = 0;
  let lost = 0;

  function relay(client: Socket): void {
    const server = connect(Number(target.port), target.hostname);
    for (const [from, to] of [[client, server], [server, client]] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    client.on('data', (chunk) => void server.write(chunk));
    server.on('data', (chunk) => {
      if (toLose === 0) return void client.write(chunk);
      toLose -= 1;
      lost += 1;
      client.resetAndDestroy();
    });
  }

  const proxy = createServer(relay);
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  // A TCP server that listens has such an address.
  const { port } = proxy.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    loseAnswers: (count) => void (toLose = count),
    lost: () => lost,
    async stop() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
