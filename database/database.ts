import type { Tracer } from '@opentelemetry/api';

import { type Clock, type Log, type Random, type Stoppable, systemClock, systemRandom } from '#kit';

import { createAvailability } from './availability.ts';
import { placeOf } from './database-url.ts';
import { createHealthProbe } from './health-probe.ts';
import type { DatabaseHooks } from './hooks.ts';
import { createNotifications } from './notifications.ts';
import { createPool } from './pool.ts';
import { repeatBrokenOff } from './repeat.ts';
import { rowTypes } from './row-types.ts';
import { runStatement } from './run-statement.ts';
import type { Queryable, Statement, Transaction } from './statement.ts';
import { createStatementSpans } from './statement-spans.ts';
import { runTransaction, type TransactionOptions } from './transaction.ts';

/** One service's schema in Postgres. */
export interface Database extends Queryable, Stoppable {
  /**
   * Runs `run` in one transaction: commits when it resolves, rolls back and rethrows
   * when it rejects. `run` is called again (3 times at most, after about 10, 20, 40 ms)
   * when Postgres breaks off a deadlock or a serialization conflict, so it must do
   * nothing but use `tx`. A connection lost during COMMIT leaves the outcome unknown:
   * the error says so, see `isCommitUnknown`.
   *
   * @param name what the transaction does, such as `order.place`; hooks and spans get it
   */
  transaction<T>(name: string, run: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;

  /** Resolves when the database answers, throws DATABASE_UNAVAILABLE after 1 s at the latest. For health. */
  ping(): Promise<void>;

  /**
   * Calls `onNotify` for each NOTIFY on `channel` (payload below 8,000 bytes). All
   * channels share one connection, beside the pool, that is opened again when it is
   * lost. What was sent meanwhile is lost: after a reconnect `onNotify` gets one empty
   * payload, "look for yourself". Channels belong to the whole database, not to a
   * schema, so put the schema's name in them. Resolves also when the database is away.
   */
  listen(channel: string, onNotify: (payload: string) => void): Promise<Stoppable>;
}

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`; a socket's folder stands percent-encoded as the host. */
  readonly url: string;
  /** `[a-z_]+`; unqualified names in statements mean this schema. */
  readonly schema: string;
  /** Connections of the pool; each idle one costs the server about 1.3 MB. The one that listens comes on top. */
  readonly maxConnections: number;
  /** Shown by `pg_stat_activity`. */
  readonly applicationName: string;
  readonly tracer: Tracer;
  readonly log: Log;
  readonly hooks?: DatabaseHooks;
  /** A statement that runs longer is cancelled. Default 15,000. */
  readonly statementTimeoutMs?: number;
  /** How long a statement waits for a connection. Default 5,000. */
  readonly acquireTimeoutMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

const STATEMENT_TIMEOUT_MS = 15_000;
const ACQUIRE_TIMEOUT_MS = 5_000;

/**
 * Opens nothing yet: connections are made when statements need them, and made anew
 * when Postgres was away. Throws INVALID_SETTING for a URL that is none.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const { url, schema, tracer, log, hooks = {}, applicationName, clock = systemClock, random = systemRandom } = options;
  const { statementTimeoutMs = STATEMENT_TIMEOUT_MS, acquireTimeoutMs = ACQUIRE_TIMEOUT_MS } = options;
  const spans = createStatementSpans(tracer, url, schema);
  const place = placeOf(url);
  const availability = createAvailability(place, clock, log);
  const pool = createPool({ ...options, statementTimeoutMs, acquireTimeoutMs, availability });
  const ping = createHealthProbe(pool, availability, place, clock);
  const config = {
    connectionString: url,
    application_name: `${applicationName} listen`,
    connectionTimeoutMillis: acquireTimeoutMs,
    keepAlive: true,
    types: rowTypes,
  };
  const notifications = createNotifications({ config, place, availability, log, clock, random });
  const isHooked = hooks.beforeCommit !== undefined || hooks.afterCommit !== undefined;

  return {
    query<Row extends object>(statement: Statement, values: readonly unknown[]) {
      const once = (): Promise<Row[]> => pool.use((lent) => runStatement<Row>(lent, statement, values));
      const hooked = isHooked ? () => passHooks(hooks, statement.name, once) : once;
      return spans(statement, () => repeatBrokenOff(hooked, clock, random));
    },
    transaction: (name, run, transactionOptions = {}) =>
      runTransaction({ pool, spans, hooks, clock, random }, name, run, transactionOptions),
    ping,
    listen: notifications.listen,
    async stop() {
      await notifications.stop();
      await pool.stop();
    },
  };
}

async function passHooks<T>(hooks: DatabaseHooks, name: string, run: () => Promise<T>): Promise<T> {
  await hooks.beforeCommit?.(name);
  const result = await run();
  await hooks.afterCommit?.(name);
  return result;
}
