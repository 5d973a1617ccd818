import { once } from 'node:events';

import pg from 'pg';

import type { Stoppable } from '#kit';

import type { Availability } from './availability.ts';
import { databaseError, isHanging, isStalePlan } from './database-errors.ts';
import { placeOf } from './database-url.ts';
import { quoteSchema } from './identifiers.ts';
import { rowTypes } from './row-types.ts';

/** A connection of the pool, for as long as its user has it. */
export type Connection = Pick<pg.PoolClient, 'query' | 'getTransactionStatus'>;

export interface Lent {
  readonly connection: Connection;
  /** Where it leads, for the words of a failure. */
  readonly place: string;
}

export interface ConnectionPool extends Stoppable {
  /** Lends a connection to `run`. Every failure comes out as MeshError. */
  use<T>(run: (lent: Lent) => Promise<T>): Promise<T>;
  /** True while someone waits for a connection. */
  isCrowded(): boolean;
}

export interface PoolOptions {
  readonly url: string;
  readonly schema: string;
  readonly maxConnections: number;
  readonly applicationName: string;
  readonly statementTimeoutMs: number;
  readonly acquireTimeoutMs: number;
  readonly availability: Availability;
}

/** Beyond the server's own timeout: then the server, or the way to it, hangs. */
const ANSWER_SLACK_MS = 2_000;
/** A transaction whose body hangs must not hold its locks for ever. */
const IDLE_IN_TRANSACTION_MS = 60_000;
const IDLE_CONNECTION_MS = 30_000;
/** How long `stop()` waits for transactions that run, before it cuts their connections. */
const STOP_GRACE_MS = 5_000;

export function createPool(options: PoolOptions): ConnectionPool {
  const { availability } = options;
  const place = placeOf(options.url);
  const pool = new pg.Pool(poolConfig(options));
  const open = new Set<pg.PoolClient>();
  pool.on('connect', (client) => void open.add(client));
  pool.on('remove', (client) => void open.delete(client));
  // An idle connection broke. Without a listener this event would end the process.
  pool.on('error', (error) => availability.failed(databaseError(error, place)));
  let stopped: Promise<void> | undefined;

  return {
    async use(run) {
      try {
        const result = await lend(pool, (connection) => run({ connection, place }));
        availability.answered();
        return result;
      } catch (thrown) {
        const error = databaseError(thrown, place);
        availability.failed(error);
        throw error;
      }
    },
    isCrowded: () => pool.waitingCount > 0,
    stop: () => (stopped ??= endPool(pool, open)),
  };
}

async function lend<T>(pool: pg.Pool, run: (connection: Connection) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // The pool does not listen while a connection is lent. The statement under way fails with the same error.
  client.on('error', ignore);
  let mustClose = false;
  try {
    return await run(client);
  } catch (thrown) {
    mustClose = isStalePlan(thrown) || isHanging(thrown);
    throw thrown;
  } finally {
    client.off('error', ignore);
    // Anything but idle is a transaction whose end was not seen: closing the connection rolls it back.
    client.release(mustClose || client.getTransactionStatus() !== 'I');
  }
}

function ignore(): void {}

async function endPool(pool: pg.Pool, open: ReadonlySet<pg.PoolClient>): Promise<void> {
  const cut = setTimeout(() => {
    for (const client of open) client.connection.stream.destroy();
  }, STOP_GRACE_MS);
  try {
    await pool.end();
    // It resolves when all connections are given back, which is before their sockets are closed.
    while (open.size > 0) await once(pool, 'remove');
  } finally {
    clearTimeout(cut);
  }
}

function poolConfig(options: PoolOptions): pg.PoolConfig {
  const searchPath = quoteSchema(options.schema);
  return {
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.maxConnections,
    idleTimeoutMillis: IDLE_CONNECTION_MS,
    connectionTimeoutMillis: options.acquireTimeoutMs,
    statement_timeout: options.statementTimeoutMs,
    query_timeout: options.statementTimeoutMs + ANSWER_SLACK_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    types: rowTypes,
    // Not by the start-up parameter `options`: a URL may bring its own, which would win.
    onConnect: async (client) => {
      await client.query(`SET search_path TO ${searchPath}`);
    },
  };
}
