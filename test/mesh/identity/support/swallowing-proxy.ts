import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A proxy in front of a server that takes every connection, and may pass on nothing of it. */
export interface SwallowingProxy {
  readonly port: number;
  /** Connections that it has taken. */
  taken(): number;
  /** Nothing of connections that come from now on reaches the server, nor an answer their peers. */
  swallow(): void;
  stop(): Promise<void>;
}

export async function startSwallowingProxy(target: number): Promise<SwallowingProxy> {
  const sockets: Socket[] = [];
  let taken = 0;
  let isSwallowing = false;
  const keep = (socket: Socket): Socket => {
    sockets.push(socket);
    // It is cut off in the end.
    return socket.on('error', () => {});
  };
  const server = createServer((socket) => {
    taken += 1;
    keep(socket);
    if (isSwallowing) return;
    const onward = keep(connect(target, '127.0.0.1'));
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (typeof bound !== 'object' || !bound) throw new Error('the proxy has no port');
  return {
    port: bound.port,
    taken: () => taken,
    swallow: () => void (isSwallowing = true),
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
