import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';

import type { Stoppable } from '#kit';

/** A Postgres as containers reach it: by TCP, and by every user. */
export interface TcpDoor extends Stoppable {
  /** The URL of the same database, through the door. */
  readonly url: string;
}

/** The embedded Postgres listens on a Unix socket that other users cannot reach. */
export async function openTcpDoor(url: string): Promise<TcpDoor> {
  const target = new URL(url);
  const path = join(decodeURIComponent(target.hostname), `.s.PGSQL.${target.port || '5432'}`);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const inside = connect(path);
    for (const [from, to] of [[client, inside], [inside, client]] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  target.hostname = '127.0.0.1';
  target.port = String((server.address() as AddressInfo).port);
  return {
    url: target.href,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
