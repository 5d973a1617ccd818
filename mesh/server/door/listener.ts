import { createServer, type Server, type Socket } from 'node:net';

import { errorCode, refusal } from '#kit';

/** What accepts connections. */
export interface Listener {
  /** Port 0 takes a free one; returns the port. */
  listen(address: string, port: number): Promise<number>;
  /** Takes no more connections; those that there are stay. */
  close(): void;
}

/** `onDrop` is told of connections beyond `maxConnections`, which are closed before they cost anything. */
export function createListener(maxConnections: number, onSocket: (socket: Socket) => void, onDrop: (peer?: string) => void): Listener {
  const server = createServer({ noDelay: true }, onSocket);
  if (Number.isFinite(maxConnections)) server.maxConnections = maxConnections;
  server.on('drop', (dropped) => onDrop(dropped?.remoteAddress));
  return { listen: (address, port) => listen(server, address, port), close: () => void server.close() };
}

function listen(server: Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(bindError(error, address, port));
    server.once('error', fail);
    server.listen({ host: address, port }, () => {
      server.off('error', fail);
      const bound = server.address();
      // A string is the path of a Unix socket, which this is not.
      resolve(typeof bound === 'object' && bound ? bound.port : port);
    });
  });
}

function bindError(error: Error, address: string, port: number): Error {
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return refusal('PORT_IN_USE', `port ${port} on ${address} is taken`, { metadata: { port: String(port), address } });
    case 'EADDRNOTAVAIL':
      return refusal('INVALID_SETTING', `this machine has no address ${address}; set MESH_ADVERTISE to one that it has`, { cause: error });
    default:
      return error;
  }
}
