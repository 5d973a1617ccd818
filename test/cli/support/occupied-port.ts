import { createServer } from 'node:net';

/** Something else that listens on a port. */
export interface OccupiedPort {
  readonly port: number;
  close(): Promise<void>;
}

/** 0 takes a free one. */
export async function occupyPort(port = 0): Promise<OccupiedPort> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
