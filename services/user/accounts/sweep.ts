import type { Database, Statement } from '#database';
import { type Clock, type Log, repeat, type Stoppable } from '#kit';

const EVERY_MS = 60_000;

/** Rows of one table in one round: a statement stays short, and a minute clears more than a minute can bring. */
const MAX_ROWS = 10_000;

const TABLES = [
  { table: 'session', key: 'session_id', time: 'expire_time' },
  { table: 'verification', key: 'verification_id', time: 'expire_time' },
  { table: 'signing_key', key: 'key_id', time: 'expire_time' },
  { table: 'revocation', key: 'sequence', time: 'expire_time' },
  { table: 'attempt', key: 'key', time: 'free_time' },
] as const;

const SWEEPS: readonly Statement[] = TABLES.map(({ table, key, time }) => ({
  name: `${table}.sweep`,
  text: `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE ${time} <= $1 LIMIT ${MAX_ROWS} FOR UPDATE SKIP LOCKED)`,
}));

/** Deletes what has expired: none of it is read any more. */
export async function sweepAccounts(database: Database, clock: Clock): Promise<void> {
  for (const sweep of SWEEPS) await database.query(sweep, [new Date(clock.now())]);
}

/** Does so each minute, in every instance: they pass over each other's rows. */
export function startSweep(database: Database, { clock, log }: { readonly clock: Clock; readonly log: Log }): Stoppable {
  const stopping = new AbortController();
  const failure = 'expired sessions and codes cannot be deleted; they are once the database is back';
  const sweeping = repeat(() => sweepAccounts(database, clock), { everyMs: EVERY_MS, signal: stopping.signal, clock, log, failure });
  return {
    async stop() {
      stopping.abort();
      await sweeping;
    },
  };
}
