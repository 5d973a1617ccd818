import type { Socket } from 'node:net';

import type { Clock, Log, Random } from '#kit';

import type { Connection, Connections } from './connections.ts';
import type { Notices } from './notices.ts';

/** What lies between a socket that was admitted and HTTP/2: who is there, and whether it speaks what this port does. */
export interface Entrance {
  enter(connection: Connection): void;
  /** Ends connections that may not be here any more. */
  sweep(): void;
  stop(): void;
}

export interface EntranceOptions {
  readonly connections: Connections;
  /** Hands a connection over to HTTP/2. */
  readonly letIn: (connection: Connection, transport: Socket) => void;
  readonly onError: (error: Error, socket: Socket) => void;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
