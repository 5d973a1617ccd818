import type { Queryable, Statement } from '#database';

/** A notification that this process has taken up, as it was before. */
export interface TakenMail {
  readonly notificationId: string;
  readonly userId: string;
  readonly subject: string;
  readonly body: string;
  /** SENDING: whoever had it before died, or hangs, while the mail was on its way. */
  readonly state: 'PENDING' | 'SENDING';
  /** Failed tries. */
  readonly attempt: number;
  /** How long ago the first of them was; 0 before. */
  readonly failingMs: number;
  /** Where whoever had it before handed it over to, if that was a place that can be told from others. */
  readonly handedOverTo: string | null;
  /** Whoever takes it up later has a higher one, and then nothing can be written under this one. */
  readonly fence: bigint;
  readonly createTime: Date;
  readonly traceParent: string | null;
}

type Held = Pick<TakenMail, 'notificationId' | 'fence'>;

// As an array: joined with the table, a few ids may be looked up by a scan of all that was ever sent.
const TAKE: Statement = {
  name: 'notification.take_due',
  text: `UPDATE notification SET fence = fence + 1, due_time = now() + $2 * interval '1 millisecond'
         WHERE notification_id = ANY (ARRAY(
           SELECT notification_id FROM notification WHERE state IN ('PENDING', 'SENDING') AND due_time <= now() AND notification_id <> ALL ($3)
           ORDER BY due_time LIMIT $1 FOR UPDATE SKIP LOCKED))
         RETURNING notification_id AS "notificationId", user_id AS "userId", subject, body, state, attempt, fence,
           coalesce(extract(epoch FROM now() - first_failure_time) * 1000, 0)::float8 AS "failingMs",
           handed_over_to AS "handedOverTo", create_time AS "createTime", trace_parent AS "traceParent"`,
};
const RENEW: Statement = {
  name: 'notification.renew',
  text: `UPDATE notification SET due_time = now() + $3 * interval '1 millisecond'
         FROM unnest($1::text[], $2::bigint[]) AS held (id, fence)
         WHERE notification_id = held.id AND notification.fence = held.fence AND state IN ('PENDING', 'SENDING')`,
};
const HAND_OVER: Statement = {
  name: 'notification.hand_over',
  text: `UPDATE notification SET state = 'SENDING', due_time = now() + $3 * interval '1 millisecond', handed_over_fence = fence, handed_over_to = $4
         WHERE notification_id = $1 AND fence = $2 AND state = 'PENDING' RETURNING notification_id`,
};
// Whoever handed it over and was taken for dead may still bring the answer that it was not taken. The fence grows, so that
// whoever has it meanwhile, and knows less, writes nothing.
const PUT_BACK: Statement = {
  name: 'notification.put_back',
  text: `UPDATE notification SET state = 'PENDING', attempt = attempt + $4, reason = $5, due_time = now() + $3 * interval '1 millisecond',
           fence = fence + 1, handed_over_fence = NULL, handed_over_to = NULL,
           first_failure_time = CASE $4 WHEN 0 THEN first_failure_time ELSE coalesce(first_failure_time, now()) END
         WHERE notification_id = $1
           AND (fence = $2 AND state IN ('PENDING', 'SENDING') OR handed_over_fence = $2 AND state IN ('SENDING', 'UNCONFIRMED'))`,
};
// So it is with a refusal. The answer that it was taken is true under any fence.
const CONCLUDE: Statement = {
  name: 'notification.conclude',
  text: `WITH mine AS (
           SELECT user_id FROM notification
           WHERE notification_id = $1 AND state IN ('PENDING', 'SENDING', 'UNCONFIRMED')
             AND (fence = $2 OR $3 = 'SENT' OR ($3 = 'FAILED' AND handed_over_fence = $2 AND state <> 'PENDING'))
           FOR UPDATE),
         numbered AS (
           UPDATE recipient SET last_sequence = last_sequence + 1 FROM mine WHERE recipient.user_id = mine.user_id RETURNING last_sequence)
         UPDATE notification SET state = $3, reason = $4, sequence = last_sequence, sent_time = CASE $3 WHEN 'SENT' THEN now() END
         FROM numbered WHERE notification_id = $1`,
};

export interface Take {
  readonly limit: number;
  /** So long it stays with this process, unless it is renewed. */
  readonly leaseMs: number;
  /** What this process has in its hands: after an outage it knows more of it than the table. */
  readonly except: readonly string[];
}

/** Takes up what is due, and what others have held for longer than their lease. */
export function takeDue(db: Queryable, { limit, leaseMs, except }: Take): Promise<TakenMail[]> {
  return db.query<TakenMail>(TAKE, [limit, leaseMs, except]);
}

export async function renew(db: Queryable, held: readonly Held[], leaseMs: number): Promise<void> {
  await db.query(RENEW, [held.map(({ notificationId }) => notificationId), held.map(({ fence }) => fence), leaseMs]);
}

export interface HandOver {
  readonly leaseMs: number;
  /** Where to, if that is a place that can be told from others. */
  readonly to: string | undefined;
}

/** Notes that the mail leaves from here on. False when somebody else has it: then nothing may leave. */
export async function noteHandOver(db: Queryable, { notificationId, fence }: Held, { leaseMs, to }: HandOver): Promise<boolean> {
  return (await db.query(HAND_OVER, [notificationId, fence, leaseMs, to ?? null])).length > 0;
}

export interface PutBack {
  readonly afterMs: number;
  /** Why the try failed; a try that did not fail does not count as one. */
  readonly failure: string | undefined;
}

/** Leaves it to whoever comes next. Only for a mail that was not taken. */
export async function putBack(db: Queryable, { notificationId, fence }: Held, { afterMs, failure }: PutBack): Promise<void> {
  await db.query(PUT_BACK, [notificationId, fence, Math.ceil(afterMs), failure === undefined ? 0 : 1, failure ?? '']);
}

/** @param reason why, in words; empty for SENT */
export async function conclude(db: Queryable, { notificationId, fence }: Held, state: 'SENT' | 'FAILED' | 'UNCONFIRMED', reason: string): Promise<void> {
  await db.query(CONCLUDE, [notificationId, fence, state, reason]);
}
