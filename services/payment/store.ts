import type { Queryable, Statement } from '#database';
import type { Money } from '#kit';

import { CLOSED_BY_REFUND, type Payment, type PaymentState } from './domain.ts';

interface Row extends Omit<Payment, 'amount'> {
  readonly amountMinor: bigint;
  readonly currency: string;
}

const COLUMNS = `order_id AS "orderId", state, amount_minor AS "amountMinor", currency, payment_method AS "paymentMethod",
  payment_intent_id AS "paymentIntentId", decline_code AS "declineCode", create_time AS "createTime", update_time AS "updateTime"`;

const OPEN: Statement = {
  name: 'payment.open',
  text: `INSERT INTO payment (order_id, state, amount_minor, currency, payment_method) VALUES ($1, 'PROCESSING', $2, $3, $4)
         ON CONFLICT (order_id) DO NOTHING RETURNING ${COLUMNS}`,
};
const CLOSE: Statement = {
  name: 'payment.close',
  text: `INSERT INTO payment (order_id, state, amount_minor, currency, payment_method, decline_code)
         VALUES ($1, 'FAILED', 0, '', '', '${CLOSED_BY_REFUND}')
         ON CONFLICT (order_id) DO NOTHING RETURNING ${COLUMNS}`,
};
const FIND: Statement = { name: 'payment.find', text: `SELECT ${COLUMNS} FROM payment WHERE order_id = $1` };
const MOVE: Statement = {
  name: 'payment.move',
  text: `UPDATE payment SET state = $3, payment_intent_id = coalesce($4, payment_intent_id), decline_code = $5, update_time = now()
         WHERE order_id = $1 AND state = $2`,
};

/** Writes a payment as PROCESSING; undefined when the order has one. */
export async function openPayment(db: Queryable, orderId: string, amount: Money, paymentMethod: string): Promise<Payment | undefined> {
  const [row] = await db.query<Row>(OPEN, [orderId, amount.minor, amount.currency, paymentMethod]);
  return row && fromRow(row);
}

/** Leaves a FAILED payment behind for an order that has none, so that a late Charge is refused; undefined when it has one. */
export async function closePayment(db: Queryable, orderId: string): Promise<Payment | undefined> {
  const [row] = await db.query<Row>(CLOSE, [orderId]);
  return row && fromRow(row);
}

export async function findPayment(db: Queryable, orderId: string): Promise<Payment | undefined> {
  const [row] = await db.query<Row>(FIND, [orderId]);
  return row && fromRow(row);
}

export interface Move {
  readonly from: PaymentState;
  readonly to: PaymentState;
  readonly paymentIntentId?: string;
  readonly declineCode?: string;
}

/** Moves a payment on; does nothing when it is no longer in state `from`. */
export async function movePayment(db: Queryable, orderId: string, { from, to, paymentIntentId, declineCode }: Move): Promise<void> {
  await db.query(MOVE, [orderId, from, to, paymentIntentId ?? null, declineCode ?? null]);
}

function fromRow({ amountMinor, currency, ...payment }: Row): Payment {
  return { ...payment, amount: { minor: amountMinor, currency } };
}
