import type { Statement, Transaction } from '#database';

import type { Category, Kind, Words } from './domain.ts';

// One update of each recipient, whatever the number of its notices. The row stays locked until the end, so numbers become
// visible in their order; all take these rows in the same order, so nobody waits in a circle.
const WRITE: Statement = {
  name: 'notification.write',
  text: `WITH told AS (
           SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY place) - count(*) OVER (PARTITION BY user_id) AS from_last
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
             WITH ORDINALITY AS given (id, event_id, kind, category, order_id, subject, body, trace_parent, user_id, place)),
         numbered AS (
           INSERT INTO recipient (user_id, last_sequence)
           SELECT user_id, count(*) FROM told WHERE user_id IS NOT NULL GROUP BY user_id ORDER BY user_id
           ON CONFLICT (user_id) DO UPDATE SET last_sequence = recipient.last_sequence + excluded.last_sequence
           RETURNING user_id, muted, last_sequence)
         INSERT INTO notification (notification_id, event_id, kind, category, order_id, subject, body, trace_parent,
           user_id, sequence, state, reason)
         SELECT id, event_id, kind, category, order_id, subject, body, trace_parent, user_id, last_sequence + from_last,
           CASE WHEN user_id IS NULL THEN 'PARKED' WHEN why = '' THEN 'PENDING' ELSE 'SUPPRESSED' END, why
         FROM told LEFT JOIN numbered USING (user_id),
           LATERAL (SELECT CASE WHEN user_id IS NULL THEN '' WHEN category = ANY (muted) THEN $10::text ELSE $11::text END AS why) AS fate
         ON CONFLICT (event_id, kind) DO NOTHING`,
};
// Whoever says for the first time whose an order is tells that user of it too, so WRITE has locked the recipients' rows. The
// LIMIT is the number of orders, and leads the planner to the indexes; OFFSET 0 keeps it to one look for each order.
const ADOPT: Statement = {
  name: 'notification.adopt',
  text: `WITH parked AS (
           SELECT notification_id, category, owner,
             row_number() OVER (PARTITION BY owner ORDER BY notification_id) AS nth, count(*) OVER (PARTITION BY owner) AS many
           FROM (SELECT * FROM unnest($1::text[], $2::text[]) AS given (order_id, owner) LIMIT $3) AS settled,
             LATERAL (SELECT notification_id, category FROM notification WHERE notification.order_id = settled.order_id AND state = 'PARKED' OFFSET 0) AS each),
         numbered AS (
           UPDATE recipient SET last_sequence = last_sequence + many FROM (SELECT DISTINCT owner, many FROM parked) AS each
           WHERE user_id = owner RETURNING user_id, muted, last_sequence - many AS before),
         fate AS (
           SELECT notification_id, user_id, before + nth AS sequence, CASE WHEN category = ANY (muted) THEN $4::text ELSE $5::text END AS why
           FROM parked JOIN numbered ON user_id = owner)
         UPDATE notification SET user_id = fate.user_id, sequence = fate.sequence, reason = why, due_time = now(),
           state = CASE why WHEN '' THEN 'PENDING' ELSE 'SUPPRESSED' END
         FROM fate WHERE notification.notification_id = fate.notification_id`,
};

const MUTED = 'the user has turned these mails off';
const NO_CHANNEL = 'no channel: there is no way set to send mail';

export interface NewNotice {
  readonly notificationId: string;
  readonly eventId: string;
  readonly kind: Kind;
  readonly category: Category;
  readonly orderId: string;
  /** Undefined while nobody has said whose the order is: then it is parked. */
  readonly userId: string | undefined;
  readonly words: Words;
  readonly traceParent: string | undefined;
}

/** Writes notifications, each user's numbered in this order; those of events that were told already are passed over. */
export async function writeNotices(tx: Transaction, notices: readonly NewNotice[], isMailed: boolean): Promise<void> {
  await tx.query(WRITE, [
    notices.map(({ notificationId }) => notificationId),
    notices.map(({ eventId }) => eventId),
    notices.map(({ kind }) => kind),
    notices.map(({ category }) => category),
    notices.map(({ orderId }) => orderId),
    notices.map(({ words }) => words.subject),
    notices.map(({ words }) => words.body),
    notices.map(({ traceParent }) => traceParent ?? null),
    notices.map(({ userId }) => userId ?? null),
    MUTED,
    isMailed ? '' : NO_CHANNEL,
  ]);
}

/** Gives what is parked of these orders to their users, numbered in the order in which it was parked. */
export async function adoptParked(tx: Transaction, owners: ReadonlyMap<string, string>, isMailed: boolean): Promise<void> {
  await tx.query(ADOPT, [[...owners.keys()], [...owners.values()], owners.size, MUTED, isMailed ? '' : NO_CHANNEL]);
}
