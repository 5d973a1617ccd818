import type { JsonObject } from '@bufbuild/protobuf';

import type { Queryable, Statement } from '#database';
import { type PageRequest, refusal } from '#kit';

export type DeadLetterStatus = 'DEAD' | 'DUE' | 'REPLAYED' | 'DISCARDED';

/** An event that a group could not handle, as an operator sees it. */
export interface DeadLetter {
  readonly deadLetterId: string;
  readonly group: string;
  readonly eventId: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly eventTime: Date;
  /** Empty where Postgres could not keep them. */
  readonly data: JsonObject;
  readonly traceparent: string | null;
  /** Why the last try failed. */
  readonly reason: string;
  readonly message: string;
  readonly tries: number;
  readonly status: DeadLetterStatus;
  /** Who replayed or discarded it, and why; null while it is DEAD for the first time. */
  readonly who: string | null;
  readonly why: string | null;
  readonly createTime: Date;
  readonly updateTime: Date;
}

export interface DeadLetterFilter {
  readonly group?: string;
  readonly reason?: string;
  readonly status?: DeadLetterStatus;
}

/** Who decided on a dead letter, and why. */
export interface Settlement {
  readonly who: string;
  readonly why: string;
}

const COLUMNS = `dead_letter_id AS "deadLetterId", for_group AS "group", event_id AS "eventId", source, type, subject, event_time AS "eventTime",
  CASE jsonb_typeof(data) WHEN 'object' THEN data ELSE '{}' END AS data, trace_parent AS traceparent,
  reason, message, tries, status, who, why, create_time AS "createTime", update_time AS "updateTime"`;

const FIND: Statement = { name: 'dead_letter.find', text: `SELECT ${COLUMNS} FROM dead_letter WHERE dead_letter_id = $1` };

const LIST: Statement = {
  name: 'dead_letter.list',
  text: `SELECT ${COLUMNS} FROM dead_letter
         WHERE ($1::text IS NULL OR for_group = $1) AND ($2::text IS NULL OR reason = $2) AND ($3::text IS NULL OR status = $3) AND ($4::text IS NULL OR dead_letter_id < $4)
         ORDER BY dead_letter_id DESC LIMIT $5`,
};

// In the order of their making, so that those of one subject are handled in their old order.
const REPLAY: Statement = {
  name: 'dead_letter.replay',
  text: `UPDATE dead_letter SET status = 'DUE', who = $4, why = $5, update_time = now()
         WHERE status = 'DEAD' AND dead_letter_id IN (
           SELECT dead_letter_id FROM dead_letter
           WHERE status = 'DEAD' AND ($1::text IS NULL OR dead_letter_id = $1) AND ($2::text IS NULL OR for_group = $2) AND ($3::text IS NULL OR reason = $3)
           ORDER BY dead_letter_id LIMIT $6)
         RETURNING true AS marked`,
};

const DISCARD: Statement = {
  name: 'dead_letter.discard',
  text: `UPDATE dead_letter SET status = 'DISCARDED', who = $2, why = $3, update_time = now() WHERE dead_letter_id = $1 AND status = 'DEAD' RETURNING true AS discarded`,
};

/** The most that one command replays. */
const REPLAY_LIMIT = 10_000;

/** DEAD_LETTER_NOT_FOUND. */
export async function findDeadLetter(db: Queryable, deadLetterId: string): Promise<DeadLetter> {
  const [found] = await db.query<DeadLetter>(FIND, [deadLetterId]);
  if (found) return found;
  throw refusal('DEAD_LETTER_NOT_FOUND', `there is no dead letter ${deadLetterId}; \`mesh events dead\` shows them`);
}

/** Newest first (ids are UUIDv7), one more than the page holds. */
export function listDeadLetters(db: Queryable, { group, reason, status }: DeadLetterFilter, page: PageRequest): Promise<DeadLetter[]> {
  return db.query<DeadLetter>(LIST, [group ?? null, reason ?? null, status ?? null, page.after ?? null, page.size + 1]);
}

/**
 * Puts a dead letter through its handler again, soon and by whichever instance finds it first; its effect happens once.
 * It does not go back into the order of its subject: later events have been handled. DEAD_LETTER_NOT_FOUND, DEAD_LETTER_SETTLED.
 */
export async function replayDeadLetter(db: Queryable, deadLetterId: string, by: Settlement): Promise<void> {
  const marked = await mark(db, { deadLetterId }, by);
  if (marked === 0) throw await settled(db, deadLetterId);
}

/** Replays those of a group, or of a reason, that are DEAD, the oldest 10,000 of them; returns how many. */
export function replayDeadLetters(db: Queryable, only: Pick<DeadLetterFilter, 'group' | 'reason'>, by: Settlement): Promise<number> {
  return mark(db, only, by);
}

/** Gives an event up; it stays to be looked at. DEAD_LETTER_NOT_FOUND, DEAD_LETTER_SETTLED. */
export async function discardDeadLetter(db: Queryable, deadLetterId: string, { who, why }: Settlement): Promise<void> {
  const discarded = await db.query(DISCARD, [deadLetterId, who, why]);
  if (discarded.length === 0) throw await settled(db, deadLetterId);
}

async function mark(db: Queryable, only: { deadLetterId?: string; group?: string; reason?: string }, { who, why }: Settlement): Promise<number> {
  const values = [only.deadLetterId ?? null, only.group ?? null, only.reason ?? null, who, why, REPLAY_LIMIT];
  return (await db.query(REPLAY, values)).length;
}

async function settled(db: Queryable, deadLetterId: string) {
  const { status } = await findDeadLetter(db, deadLetterId);
  return refusal('DEAD_LETTER_SETTLED', `dead letter ${deadLetterId} is ${status} already; \`mesh events dead\` shows what is left`);
}
