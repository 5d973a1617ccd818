import type { Queryable, Statement, Transaction } from '#database';
import { type Clock, newId, type Random } from '#kit';

// In the order of the ids: two members that enter the same ones at once wait for each other, and never in a circle.
const ENTER: Statement = {
  name: 'inbox.enter',
  text: `INSERT INTO inbox (for_group, event_id) SELECT $1, id FROM unnest($2::text[]) AS given (id) ORDER BY id
         ON CONFLICT DO NOTHING RETURNING event_id AS id`,
};

// By the ids, which begin with the time of their making, to read no more than the old end of the index.
const SWEEP: Statement = {
  name: 'inbox.sweep',
  text: `DELETE FROM inbox WHERE (for_group, event_id) IN (
           SELECT for_group, event_id FROM inbox
           WHERE for_group = $1 AND event_id < $2 AND time < clock_timestamp() - $3 * interval '1 millisecond' ORDER BY event_id LIMIT $4)
         RETURNING true AS swept`,
};

const SWEEP_LETTERS: Statement = {
  name: 'dead_letter.sweep',
  text: `DELETE FROM dead_letter WHERE dead_letter_id IN (
           SELECT dead_letter_id FROM dead_letter
           WHERE for_group = $1 AND status IN ('REPLAYED', 'DISCARDED') AND update_time < clock_timestamp() - $2 * interval '1 millisecond' LIMIT $3)`,
};

/** How long a dead letter that was settled stays, with who did it and why. */
const SETTLED_MS = 90 * 24 * 60 * 60 * 1000;
const BATCH = 1_000;

/**
 * Enters events in the transaction of their effects. Of each, whether it was not there yet; of two that are the same, the first
 * was not. Waits for another transaction that has just entered one of them.
 */
export async function enterInbox(tx: Transaction, group: string, eventIds: readonly string[]): Promise<boolean[]> {
  // Half a character is another one when it comes back: Postgres gets UTF-8.
  const ids = eventIds.map((id) => id.toWellFormed());
  const entered = new Set((await tx.query<{ id: string }>(ENTER, [group, ids])).map(({ id }) => id));
  return ids.map((id) => entered.delete(id));
}

/** Removes, in batches, what was entered longer than `retentionMs` ago. */
export async function sweepInbox(db: Queryable, group: string, retentionMs: number, { clock, random }: { clock: Clock; random: Random }, signal: AbortSignal): Promise<void> {
  const youngest = newId({ ...clock, now: () => clock.now() - retentionMs }, random);
  let swept: number;
  do {
    swept = (await db.query(SWEEP, [group, youngest, retentionMs, BATCH])).length;
  } while (swept === BATCH && !signal.aborted);
  await db.query(SWEEP_LETTERS, [group, SETTLED_MS, BATCH]);
}
