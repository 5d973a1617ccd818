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

export type Held = Pick<TakenMail, 'notificationId' | 'fence'>;

// The second LIMIT is more than anybody asks for. It tells the planner that these are few, which the first one cannot: it
// would look up a few ids by a scan of all that was ever sent, when many are due or the table was empty when it planned.
const TAKE: Statement = {
  name: 'notification.take_due',
  text: `WITH due AS MATERIALIZED (
           SELECT notification_id AS id FROM notification WHERE state IN ('PENDING', 'SENDING') AND due_time <= now() AND notification_id <> ALL ($3)
           ORDER BY due_time LIMIT $1 FOR UPDATE SKIP LOCKED)
         UPDATE notification SET fence = fence + 1, due_time = now() + $2 * interval '1 millisecond'
         FROM (SELECT id FROM due LIMIT 100) AS few WHERE notification_id = id
         RETURNING notification_id AS "notificationId", user_id AS "userId", subject, body, state, attempt, fence,
           coalesce(extract(epoch FROM now() - first_failure_time) * 1000, 0)::float8 AS "failingMs",
           handed_over_to AS "handedOverTo", create_time AS "createTime", trace_parent AS "traceParent"`,
};
// What is locked is being moved on at this moment, by a statement that says itself how long it is held. The LIMIT, here and
// below, is how many there are: with it the planner goes by the primary key, in the order in which they are given, also when
// it has first seen the table empty.
const RENEW: Statement = {
  name: 'notification.renew',
  text: `WITH mine AS (
           SELECT id FROM (SELECT * FROM unnest($1::text[], $2::bigint[]) AS held (id, held_fence) LIMIT $4) AS held JOIN notification ON notification_id = id
           WHERE fence = held_fence AND state IN ('PENDING', 'SENDING') FOR UPDATE OF notification SKIP LOCKED)
         UPDATE notification SET due_time = now() + $3 * interval '1 millisecond' FROM mine WHERE notification_id = id`,
};
// This and CONCLUDE run for every mail, so they write many at once: see `createMailWriter`.
const HAND_OVER: Statement = {
  name: 'notification.hand_over',
  text: `UPDATE notification SET state = 'SENDING', due_time = now() + $4 * interval '1 millisecond', handed_over_fence = fence, handed_over_to = place
         FROM (SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[]) AS held (id, held_fence, place) LIMIT $5) AS held
         WHERE notification_id = id AND fence = held_fence AND state = 'PENDING' RETURNING notification_id AS "notificationId", fence`,
};
// The answer that it was taken is true under any fence; that it was refused under the one it was handed over by, too.
// Recipients are locked in the order in which all lock them.
const CONCLUDE: Statement = {
  name: 'notification.conclude',
  text: `WITH mine AS (
           SELECT notification_id, user_id, to_state, why
           FROM (SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) AS given (id, held_fence, to_state, why) LIMIT $5) AS given
           JOIN notification ON notification_id = id
           WHERE state IN ('PENDING', 'SENDING', 'UNCONFIRMED')
             AND (fence = held_fence OR to_state = 'SENT' OR (to_state = 'FAILED' AND handed_over_fence = held_fence AND state <> 'PENDING'))
           ORDER BY notification_id FOR UPDATE OF notification),
         numbered AS (
           INSERT INTO recipient (user_id, last_sequence) SELECT user_id, count(*) FROM mine GROUP BY user_id ORDER BY user_id
           ON CONFLICT (user_id) DO UPDATE SET last_sequence = recipient.last_sequence + excluded.last_sequence
           RETURNING user_id, last_sequence),
         fate AS (
           SELECT mine.*, last_sequence + 1 - row_number() OVER (PARTITION BY user_id ORDER BY notification_id DESC) AS number
           FROM mine JOIN numbered USING (user_id))
         UPDATE notification SET state = to_state, reason = why, sequence = number, sent_time = CASE to_state WHEN 'SENT' THEN now() END
         FROM fate WHERE notification.notification_id = fate.notification_id`,
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

export interface Take {
  /** At most 100. */
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
  await db.query(RENEW, [held.map(({ notificationId }) => notificationId), held.map(({ fence }) => fence), leaseMs, held.length]);
}

export interface HandOver {
  readonly held: Held;
  /** Where to, if that is a place that can be told from others. */
  readonly to: string | undefined;
}

/** Notes that mails leave from here on, and returns those that may: of the others somebody else has them. */
export async function handOverAll(db: Queryable, mails: readonly HandOver[], leaseMs: number): Promise<readonly Held[]> {
  const sorted = mails.toSorted((a, b) => (a.held.notificationId < b.held.notificationId ? -1 : 1));
  return db.query<Held>(HAND_OVER, [
    sorted.map(({ held }) => held.notificationId),
    sorted.map(({ held }) => held.fence),
    sorted.map(({ to }) => to ?? null),
    leaseMs,
    sorted.length,
  ]);
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

export interface Conclusion {
  readonly held: Held;
  readonly state: 'SENT' | 'FAILED' | 'UNCONFIRMED';
  /** Why, in words; empty for SENT. */
  readonly reason: string;
}

/** Writes how mails ended, of each what its fence allows. */
export async function concludeAll(db: Queryable, conclusions: readonly Conclusion[]): Promise<void> {
  await db.query(CONCLUDE, [
    conclusions.map(({ held }) => held.notificationId),
    conclusions.map(({ held }) => held.fence),
    conclusions.map(({ state }) => state),
    conclusions.map(({ reason }) => reason),
    conclusions.length,
  ]);
}
