import type { Queryable, Statement, Transaction } from '#database';

import type { Page } from './paging.ts';
import { chargeIdOf, type PaymentIntent } from './payment-intent.ts';

const COLUMNS = `id, amount, amount_refunded AS "amountRefunded", refunds_refused AS "refundsRefused", currency,
  payment_method AS "paymentMethod", confirmed, decline, metadata, created_at AS "createdAt"`;

/** The intent and, when its money was captured, the ledger's entry: one statement, for every charge runs it. */
const RECORD: Statement = {
  name: 'stripe_simulator.record_charge',
  text: `WITH intent AS (
           INSERT INTO payment_intent (id, amount, currency, payment_method, decline, metadata, created_at, confirmed)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $9)
           RETURNING *
         )
         INSERT INTO ledger (kind, object_id, payment_intent_id, amount, currency, order_id, created_at)
         SELECT 'capture', $8, id, amount, currency, metadata->>'order_id', created_at FROM intent WHERE decline IS NULL AND confirmed`,
};
const FIND: Statement = {
  name: 'stripe_simulator.find_payment_intent',
  text: `SELECT ${COLUMNS} FROM payment_intent WHERE id = $1`,
};
const LOCK: Statement = {
  name: 'stripe_simulator.lock_payment_intent',
  text: `SELECT ${COLUMNS} FROM payment_intent WHERE id = $1 FOR UPDATE`,
};
const LIST: Statement = {
  name: 'stripe_simulator.list_payment_intents',
  text: `SELECT ${COLUMNS} FROM payment_intent WHERE $1::text IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`,
};
const FIND_OF_ORDER: Statement = {
  name: 'stripe_simulator.find_payment_intents_of_order',
  text: `SELECT ${COLUMNS} FROM payment_intent WHERE metadata->>'order_id' = $1 ORDER BY id DESC LIMIT $2`,
};

/** The columns are named as the fields are, so a row is a payment intent. */
type Row = PaymentIntent;

export async function recordCharge(tx: Transaction, intent: PaymentIntent): Promise<void> {
  const { id, amount, currency, paymentMethod, confirmed, decline, metadata, createdAt } = intent;
  await tx.query(RECORD, [id, amount, currency, paymentMethod, decline, metadata, createdAt, chargeIdOf(id), confirmed]);
}

export async function findPaymentIntent(db: Queryable, id: string): Promise<PaymentIntent | undefined> {
  const [row] = await db.query<Row>(FIND, [id]);
  return row;
}

/** Nobody else changes it until the transaction ends. */
export async function lockPaymentIntent(tx: Transaction, id: string): Promise<PaymentIntent | undefined> {
  const [row] = await tx.query<Row>(LOCK, [id]);
  return row;
}

/** Newest first. */
export function listPaymentIntents(db: Queryable, { startingAfter, limit }: Page): Promise<PaymentIntent[]> {
  return db.query<Row>(LIST, [startingAfter ?? null, limit]);
}

/** Newest first. */
export function findPaymentIntentsOfOrder(db: Queryable, orderId: string, limit: number): Promise<PaymentIntent[]> {
  return db.query<Row>(FIND_OF_ORDER, [orderId, limit]);
}
