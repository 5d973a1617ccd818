import { connect } from 'node:net';

import { errorCode } from '#kit';

/** What a connection attempt finds at an address. */
export type Sight = 'listening' | 'nobody' | 'unreachable';

/** Tries for so long; a machine that answers at all does so within milliseconds. */
const CONNECT_MS = 1_000;

/** `nobody` is certain: the machine there says so. `unreachable` says nothing about who listens. */
export function lookAt(host: string, port: number): Promise<Sight> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const done = (result: Sight): void => {
      socket.destroy();
      resolve(result);
    };
    socket
      .once('connect', () => done('listening'))
      .once('error', (error) => done(errorCode(error) === 'ECONNREFUSED' ? 'nobody' : 'unreachable'))
      .once('timeout', () => done('unreachable'));
  });
}

export async function isListening(host: string, port: number): Promise<boolean> {
  return (await lookAt(host, port)) === 'listening';
}
