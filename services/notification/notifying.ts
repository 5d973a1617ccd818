import type { Statement, Transaction } from '#database';
import { type Clock, newId, type Random } from '#kit';
import { currentTraceparent } from '#tracing';

import { CATEGORY_OF, type Kind, type Words } from './domain.ts';

// The first word on an order locks its row until the transaction ends, so that whoever parks something and whoever
// learns whose it is come one after the other, and what is parked is found.
const OWN: Statement = {
  name: 'notification.own',
  text: `INSERT INTO order_owner (order_id, user_id) VALUES ($1, $2)
         ON CONFLICT (order_id) DO UPDATE SET user_id = coalesce(order_owner.user_id, excluded.user_id)
         RETURNING user_id AS "userId"`,
};
const PARK: Statement = {
  name: 'notification.park',
  text: `INSERT INTO notification (notification_id, event_id, kind, category, order_id, subject, body, trace_parent, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'PARKED')
         ON CONFLICT (event_id, kind) DO NOTHING`,
};
// The recipient's row is locked until the end, so numbers become visible in their order.
const WRITE: Statement = {
  name: 'notification.write',
  text: `WITH numbered AS (
           INSERT INTO recipient (user_id, last_sequence) VALUES ($9, 1)
           ON CONFLICT (user_id) DO UPDATE SET last_sequence = recipient.last_sequence + 1
           RETURNING last_sequence, CASE WHEN $4 = ANY (muted) THEN $10::text ELSE $11::text END AS reason)
         INSERT INTO notification (notification_id, event_id, kind, category, order_id, subject, body, trace_parent,
           user_id, sequence, state, reason)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, last_sequence, CASE reason WHEN '' THEN 'PENDING' ELSE 'SUPPRESSED' END, reason
         FROM numbered
         ON CONFLICT (event_id, kind) DO NOTHING`,
};
const ADOPT: Statement = {
  name: 'notification.adopt',
  text: `WITH parked AS (
           SELECT notification_id, category, row_number() OVER (ORDER BY notification_id) AS nth
           FROM notification WHERE order_id = $1 AND state = 'PARKED'),
         numbered AS (
           UPDATE recipient SET last_sequence = last_sequence + (SELECT count(*) FROM parked)
           WHERE user_id = $2 AND EXISTS (SELECT FROM parked)
           RETURNING muted, last_sequence - (SELECT count(*) FROM parked) AS before),
         fate AS (
           SELECT notification_id, before + nth AS sequence, CASE WHEN category = ANY (muted) THEN $3::text ELSE $4::text END AS reason
           FROM parked, numbered)
         UPDATE notification SET user_id = $2, sequence = fate.sequence, reason = fate.reason, due_time = now(),
           state = CASE fate.reason WHEN '' THEN 'PENDING' ELSE 'SUPPRESSED' END
         FROM fate WHERE notification.notification_id = fate.notification_id`,
};

const MUTED = 'the user has turned these mails off';
const NO_CHANNEL = 'no channel: there is no way set to send mail';

/** What a user is told. */
export interface Occasion {
  readonly eventId: string;
  readonly kind: Kind;
  readonly orderId: string;
  /** Undefined when the event does not say whose order it is. */
  readonly userId: string | undefined;
  readonly words: Words;
}

export interface Notifier {
  /** Whether there is a way to send mail. */
  readonly isMailed: boolean;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Writes what a user is told of an event, once. An event that does not say whose order it is may come before the one
 * that does, for they travel apart: then the notification is parked, and the order's next event takes it out.
 */
export async function notify(tx: Transaction, { isMailed, clock, random }: Notifier, { eventId, kind, orderId, userId, words }: Occasion): Promise<void> {
  const [owner] = await tx.query<{ userId: string | null }>(OWN, [orderId, userId ?? null]);
  const columns = [newId(clock, random), eventId, kind, CATEGORY_OF[kind], orderId, words.subject, words.body, currentTraceparent() ?? null];
  if (!owner?.userId) {
    await tx.query(PARK, columns);
    return;
  }
  const withoutMail = isMailed ? '' : NO_CHANNEL;
  await tx.query(WRITE, [...columns, owner.userId, MUTED, withoutMail]);
  if (userId !== undefined) await tx.query(ADOPT, [orderId, owner.userId, MUTED, withoutMail]);
}
