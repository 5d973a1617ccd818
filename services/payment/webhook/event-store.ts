import type { Queryable, Statement } from '#database';

import type { Claim } from '../store.ts';

/** What an event of Stripe's is about. What it says is not kept: the reconciler asks Stripe. */
export interface StripeNotice {
  /** `evt_…` */
  readonly eventId: string;
  /** Such as `payment_intent.succeeded`. */
  readonly type: string;
  readonly paymentIntentId: string;
  /** As the charge's metadata has it, where the event shows that. */
  readonly orderId: string | undefined;
}

/** A notice that is due, and how often it has been taken up. */
export interface DueNotice extends StripeNotice {
  readonly tries: number;
}

const KEEP: Statement = {
  name: 'stripe_event.keep',
  text: `INSERT INTO stripe_event (event_id, type, payment_intent_id, order_id, receive_time, due_time) VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (event_id) DO NOTHING RETURNING event_id`,
};
const CLAIM: Statement = {
  name: 'stripe_event.claim',
  text: `UPDATE stripe_event SET tries = tries + 1,
           due_time = $1::timestamptz + least($2 * 2 ^ least(tries, 20), 3600000) * interval '1 millisecond'
         WHERE event_id IN (SELECT event_id FROM stripe_event WHERE due_time <= $1 ORDER BY due_time LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING event_id AS "eventId", type, payment_intent_id AS "paymentIntentId", order_id AS "orderId", tries`,
};
const DONE: Statement = {
  name: 'stripe_event.done',
  text: `UPDATE stripe_event SET due_time = NULL, done_time = $2 WHERE event_id = $1 AND done_time IS NULL`,
};
// A capture that is news to a payment, or a stray one, must not pass for old: state and id both agree.
const DONE_BEFORE: Statement = {
  name: 'stripe_event.done_before',
  text: `UPDATE stripe_event e SET due_time = NULL, done_time = $2 FROM payment p
         WHERE e.event_id = $1 AND e.done_time IS NULL AND p.order_id = e.order_id AND p.payment_intent_id = e.payment_intent_id
           AND CASE e.type WHEN 'payment_intent.succeeded' THEN p.state IN ('COMPLETED', 'REFUNDED')
                           WHEN 'payment_intent.payment_failed' THEN p.state = 'FAILED' ELSE false END
         RETURNING e.event_id`,
};
const SWEEP: Statement = {
  name: 'stripe_event.sweep',
  text: `DELETE FROM stripe_event WHERE event_id IN (
           SELECT event_id FROM stripe_event WHERE done_time < $1 ORDER BY done_time LIMIT 1000 FOR UPDATE SKIP LOCKED)`,
};

/** Notes an event; false when it was noted before. */
export async function keepNotice(db: Queryable, { eventId, type, paymentIntentId, orderId }: StripeNotice, now: Date): Promise<boolean> {
  return (await db.query(KEEP, [eventId, type, paymentIntentId, orderId ?? null, now])).length > 0;
}

/** Takes events that are due; nobody else gets them until the pause is over. */
export function claimNotices(db: Queryable, { now, pauseMs, limit }: Claim): Promise<DueNotice[]> {
  return db.query<DueNotice>(CLAIM, [now, pauseMs, limit]);
}

/** Belongs into the transaction of the event's effect. */
export async function finishNotice(db: Queryable, eventId: string, now: Date): Promise<void> {
  await db.query(DONE, [eventId, now]);
}

/** Finishes an event that tells of a charge's end which its payment has had already, as nearly all do; false for any other. */
export async function finishIfKnown(db: Queryable, eventId: string, now: Date): Promise<boolean> {
  return (await db.query(DONE_BEFORE, [eventId, now])).length > 0;
}

/** Forgets up to 1,000 events that had their effect before `before`. */
export async function sweepNotices(db: Queryable, before: Date): Promise<void> {
  await db.query(SWEEP, [before]);
}
