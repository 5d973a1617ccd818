import type { Queryable, Statement, Transaction } from '#database';
import { type Clock, newId, type Random } from '#kit';

const ENTER: Statement = {
  name: 'inbox.enter',
  text: 'INSERT INTO inbox (for_group, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true AS is_new',
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

/** Enters an event in the transaction of its effect; false when it was there already. Waits for another transaction that has just entered it. */
export async function enterInbox(tx: Transaction, group: string, eventId: string): Promise<boolean> {
  return (await tx.query(ENTER, [group, eventId])).length === 1;
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
