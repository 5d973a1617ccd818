import type { Queryable, Statement, Transaction } from '#database';

import type { Page } from './paging.ts';
import { FAILURE_REASON } from './refund-cards.ts';
import { failureIdOf, type Refund } from './refund.ts';

/** What becomes of a refund some time after it was given. */
export interface Settlement {
  readonly at: Date;
  readonly as: 'succeeded' | 'failed';
}

const COLUMNS = `id, payment_intent_id AS "paymentIntentId", amount, currency, status,
  failure_reason AS "failureReason", metadata, created_at AS "createdAt"`;

const RECORD: Statement = {
  name: 'stripe_simulator.record_refund',
  text: `INSERT INTO refund (id, payment_intent_id, amount, currency, status, failure_reason, metadata, created_at, settles_at, settles_as)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
};
const GIVE: Statement = {
  name: 'stripe_simulator.give_back',
  text: `WITH intent AS (
           UPDATE payment_intent SET amount_refunded = amount_refunded + $3 WHERE id = $1
           RETURNING id, currency, metadata->>'order_id' AS order_id
         )
         INSERT INTO ledger (kind, object_id, payment_intent_id, amount, currency, order_id, created_at)
         SELECT 'refund', $2, id, $3, currency, order_id, $4 FROM intent`,
};
const TAKE_BACK: Statement = {
  name: 'stripe_simulator.take_back',
  text: `WITH intent AS (
           UPDATE payment_intent SET amount_refunded = amount_refunded - $3 WHERE id = $1
           RETURNING id, currency, metadata->>'order_id' AS order_id
         )
         INSERT INTO ledger (kind, object_id, payment_intent_id, amount, currency, order_id, created_at)
         SELECT 'refund_failure', $2, id, $3, currency, order_id, $4 FROM intent`,
};
const COUNT_REFUSED: Statement = {
  name: 'stripe_simulator.count_refused_refund',
  text: 'UPDATE payment_intent SET refunds_refused = refunds_refused + 1 WHERE id = $1',
};
const FIND: Statement = {
  name: 'stripe_simulator.find_refund',
  text: `SELECT ${COLUMNS} FROM refund WHERE id = $1`,
};
const LIST: Statement = {
  name: 'stripe_simulator.list_refunds',
  text: `SELECT ${COLUMNS} FROM refund
         WHERE ($1::text IS NULL OR payment_intent_id = $1) AND ($2::text IS NULL OR id < $2)
         ORDER BY id DESC LIMIT $3`,
};
/** Another simulator on the same ledger settles others meanwhile. */
const SETTLE_ONE: Statement = {
  name: 'stripe_simulator.settle_refund',
  text: `UPDATE refund SET status = settles_as, settles_at = NULL, settles_as = NULL,
           failure_reason = CASE settles_as WHEN 'failed' THEN $2 END
         WHERE id = (SELECT id FROM refund WHERE settles_at <= $1 ORDER BY settles_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING ${COLUMNS}`,
};
const NEXT: Statement = {
  name: 'stripe_simulator.next_settlement',
  text: 'SELECT min(settles_at) AS at FROM refund WHERE settles_at IS NOT NULL',
};

/** The caller holds the payment intent's lock and has checked that this much is left. */
export async function recordRefund(tx: Transaction, refund: Refund, settlement: Settlement | undefined): Promise<void> {
  const { id, paymentIntentId, amount, currency, status, failureReason, metadata, createdAt } = refund;
  const { at = null, as = null } = settlement ?? {};
  await tx.query(RECORD, [id, paymentIntentId, amount, currency, status, failureReason, metadata, createdAt, at, as]);
  if (status !== 'failed') await tx.query(GIVE, [paymentIntentId, id, amount, createdAt]);
}

export async function countRefusedRefund(tx: Transaction, paymentIntentId: string): Promise<void> {
  await tx.query(COUNT_REFUSED, [paymentIntentId]);
}

/** Settles the refund that has waited longest, as it is to; undefined when none is due. */
export async function settleOne(tx: Transaction, now: Date): Promise<Refund | undefined> {
  const [refund] = await tx.query<Refund>(SETTLE_ONE, [now, FAILURE_REASON]);
  if (refund?.status === 'failed') await tx.query(TAKE_BACK, [refund.paymentIntentId, failureIdOf(refund.id), refund.amount, now]);
  return refund;
}

/** When the next refund settles; undefined when none is to. */
export async function nextSettlement(db: Queryable): Promise<Date | undefined> {
  const [row] = await db.query<{ at: Date | null }>(NEXT, []);
  return row?.at ?? undefined;
}

export async function findRefund(db: Queryable, id: string): Promise<Refund | undefined> {
  const [refund] = await db.query<Refund>(FIND, [id]);
  return refund;
}

/** Newest first. */
export function listRefunds(db: Queryable, paymentIntentId: string | undefined, { startingAfter, limit }: Page): Promise<Refund[]> {
  return db.query<Refund>(LIST, [paymentIntentId ?? null, startingAfter ?? null, limit]);
}
