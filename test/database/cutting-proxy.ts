import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';

import type { Stoppable } from '#kit';
import { makeTestFolder } from './postgres-fixture.ts';

const SOCKET = '.s.PGSQL.5432';

/** Stands between a client and Postgres, to be the network that fails. */
export interface CuttingProxy extends Stoppable {
  readonly url: string;
  /** Cuts the connection that sends `text` next; Postgres gets the text before that, or does not. */
  cutAt(text: string, isForwarded: boolean): void;
  /** From now on nothing gets through and nothing is closed, as behind a firewall. */
  goSilent(): void;
}

/** @param rewrite what becomes of Postgres's answers; as long as they were, so that its messages stay whole */
export async function startProxy(url: string, rewrite: (answer: string) => string = (answer) => answer): Promise<CuttingProxy> {
  const folder = await makeTestFolder();
  const target = new URL(url);
  const upstream = join(decodeURIComponent(target.hostname), SOCKET);
  let cut: { text: string; isForwarded: boolean } | undefined;
  let isSilent = false;
  const sockets = new Set<Socket>();

  function relay(client: Socket): void {
    const server = connect(upstream);
    for (const [from, to] of [[client, server], [server, client]] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    server.on('data', (chunk: Buffer) => void (isSilent || client.write(rewrite(chunk.toString('latin1')), 'latin1')));
    client.on('data', (chunk: Buffer) => {
      if (isSilent) return;
      if (cut === undefined || !chunk.includes(cut.text)) return void server.write(chunk);
      // Ended, not destroyed: what was written must arrive.
      if (cut.isForwarded) server.end(chunk);
      client.destroy();
    });
  }

  const proxy = createServer(relay);
  proxy.listen(join(folder, SOCKET));
  await once(proxy, 'listening');
  target.hostname = encodeURIComponent(folder);
  return {
    url: target.href,
    cutAt: (text, isForwarded) => void (cut = { text, isForwarded }),
    goSilent: () => void (isSilent = true),
    async stop() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
