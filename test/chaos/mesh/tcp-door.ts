import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What becomes of the bytes between two services. */
export type Line =
  | 'open'
  /** Nothing comes through, and nobody is told: neither side is read from. */
  | 'black-hole'
  /** Connections are reset, new ones too. */
  | 'cut';

/** A TCP proxy in front of a port, by which the line to it can be spoilt. */
export interface TcpDoor {
  readonly port: number;
  set(line: Line): void;
  stop(): Promise<void>;
}

export async function openTcpDoor(): Promise<TcpDoor & { leadTo(port: number): void }> {
  let line: Line = 'open';
  let target = 0;
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((near) => {
    if (line === 'cut') return void near.resetAndDestroy();
    const far = connect(target, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [far, near]] as const) {
      from.on('data', (bytes) => to.write(bytes));
      from.once('end', () => to.end());
      from.on('error', () => to.destroy());
      from.once('close', () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
    if (line === 'black-hole') pair.forEach((socket) => socket.pause());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server has an address of this shape.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    leadTo(next) {
      target = next;
    },
    set(next) {
      line = next;
      for (const pair of pairs) {
        for (const socket of pair) {
          if (next === 'cut') socket.resetAndDestroy();
          else if (next === 'black-hole') socket.pause();
          else socket.resume();
        }
      }
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const pair of pairs) pair.forEach((socket) => socket.destroy());
      await closed;
    },
  };
}
