import type { Queryable, Statement, Transaction } from '#database';

import type { Page } from './paging.ts';

/** Money given back, or sent back by the bank. */
export interface Refund {
  /** `re_…`; sorts by time of creation. */
  readonly id: string;
  readonly paymentIntentId: string;
  /** In the unit Stripe counts in. */
  readonly amount: bigint;
  /** ISO 4217 in small letters. */
  readonly currency: string;
  /** Why the bank sent it back; null when it did not. */
  readonly failure: string | null;
  readonly createdAt: Date;
}

const RECORD: Statement = {
  name: 'stripe_simulator.record_refund',
  text: `WITH intent AS (
           UPDATE payment_intent SET amount_refunded = amount_refunded + $3 WHERE id = $1
           RETURNING id, currency, metadata->>'order_id' AS order_id
         )
         INSERT INTO ledger (kind, object_id, payment_intent_id, amount, currency, order_id, created_at)
         SELECT 'refund', $2, id, $3, currency, order_id, $4 FROM intent`,
};
const RECORD_FAILED: Statement = {
  name: 'stripe_simulator.record_failed_refund',
  text: 'INSERT INTO failed_refund (payment_intent_id, object_id, why, created_at) VALUES ($1, $2, $3, $4)',
};
const COUNT_REFUSED: Statement = {
  name: 'stripe_simulator.count_refused_refund',
  text: 'UPDATE payment_intent SET refunds_refused = refunds_refused + 1 WHERE id = $1',
};
const LIST: Statement = {
  name: 'stripe_simulator.list_refunds',
  text: `SELECT * FROM (
           SELECT object_id AS id, payment_intent_id AS "paymentIntentId", amount, currency, NULL AS failure, created_at AS "createdAt"
           FROM ledger WHERE kind = 'refund'
           UNION ALL
           SELECT object_id, payment_intent_id, amount, currency, why, failed_refund.created_at
           FROM failed_refund JOIN payment_intent ON payment_intent.id = payment_intent_id
         ) AS refund
         WHERE ($1::text IS NULL OR "paymentIntentId" = $1) AND ($2::text IS NULL OR id < $2)
         ORDER BY id DESC LIMIT $3`,
};

/** The caller holds the payment intent's lock and has checked that this much is left. */
export async function recordRefund(tx: Transaction, { id, paymentIntentId, amount, failure, createdAt }: Refund): Promise<void> {
  if (failure === null) await tx.query(RECORD, [paymentIntentId, id, amount, createdAt]);
  else await tx.query(RECORD_FAILED, [paymentIntentId, id, failure, createdAt]);
}

export async function countRefusedRefund(tx: Transaction, paymentIntentId: string): Promise<void> {
  await tx.query(COUNT_REFUSED, [paymentIntentId]);
}

/** Newest first. */
export function listRefunds(db: Queryable, paymentIntentId: string | undefined, { startingAfter, limit }: Page): Promise<Refund[]> {
  return db.query<Refund>(LIST, [paymentIntentId ?? null, startingAfter ?? null, limit]);
}
