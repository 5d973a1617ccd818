import type { Database, Queryable, Statement } from '#database';
import { repeat, type RepeatOptions } from '#kit';

/** A batch takes some milliseconds and locks nothing that anybody waits for. */
const BATCH = 500;
/** Between batches: at most 500 sagas a second and instance, more than a shop ends for long. */
const PAUSE_MS = 1_000;
const EVERY_MS = 60_000;

// By the primary key, since ids begin with the time (UUIDv7): the oldest are found without an
// index on their end. What is not over stays, however old.
const SWEEP: Statement = {
  name: 'saga.sweep',
  text: `WITH old AS (
           SELECT saga_id FROM saga
           WHERE saga_id < $1 AND status IN ('COMPLETED', 'FAILED') AND update_time < now() - $2 * interval '1 millisecond'
           ORDER BY saga_id LIMIT $3 FOR UPDATE SKIP LOCKED),
         forgotten AS (DELETE FROM saga_intervention i USING old WHERE i.saga_id = old.saga_id)
         DELETE FROM saga USING old WHERE saga.saga_id = old.saga_id RETURNING saga.saga_id`,
};

/** Deletes up to `limit` sagas that have been over for longer than `keepMs`, and returns how many. Several instances may do so at once. */
export async function sweepFinished(db: Queryable, nowMs: number, keepMs: number, limit = BATCH): Promise<number> {
  return (await db.query(SWEEP, [firstIdAt(nowMs - keepMs), keepMs, limit])).length;
}

/** Looks every minute, until the signal aborts, and then sweeps batch after batch while there is something. */
export async function keepSwept(database: Database, keepMs: number, options: Omit<RepeatOptions, 'everyMs'>): Promise<void> {
  const { clock, signal } = options;
  const sweep = async (): Promise<void> => {
    while ((await sweepFinished(database, clock.now(), keepMs)) === BATCH && !signal.aborted) await clock.sleep(PAUSE_MS, signal).catch(() => {});
  };
  await repeat(sweep, { ...options, everyMs: EVERY_MS });
}

/** The least UUIDv7 of a moment: its first 48 bits are the milliseconds since the epoch (RFC 9562). */
function firstIdAt(ms: number): string {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
