import { type Attack, repeat, scaled } from './attack.ts';
import { openSocket } from './peers.ts';

const SOCKETS = 500;

/** Connections that never say a word. */
export const silence: Attack = {
  name: '500 silent sockets',
  run: (target) => repeat(scaled(SOCKETS, target), 50, async () => void (await openSocket(target.port))),
};
