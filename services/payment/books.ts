import type { Queryable, Statement } from '#database';
import type { Money } from '#kit';

import type { PaymentState } from './domain.ts';

export { type StrayInBooks, straysInBooks } from './stray-store.ts';

export interface PaymentInBooks {
  readonly orderId: string;
  readonly state: PaymentState;
  /** Zero, of no currency, when it was closed before it was charged. */
  readonly amount: Money;
  /** What has gone back of it. */
  readonly refunded: Money;
  /** The same and what was asked to go back, of which nobody may know yet whether it has. */
  readonly refundHeld: Money;
}

interface Row extends Omit<PaymentInBooks, 'amount' | 'refunded' | 'refundHeld'> {
  readonly amountMinor: bigint;
  readonly refundedMinor: bigint;
  readonly refundHeldMinor: bigint;
  readonly currency: string;
}

const FIND: Statement = {
  name: 'payment.books_find',
  text: `SELECT order_id AS "orderId", state, amount_minor AS "amountMinor", refunded_minor AS "refundedMinor",
           refund_held_minor AS "refundHeldMinor", currency FROM payment WHERE order_id = ANY($1)`,
};
const ORDERS: Statement = {
  name: 'payment.books_orders',
  text: `SELECT order_id AS "orderId" FROM payment WHERE order_id > $1 ORDER BY order_id LIMIT $2`,
};

export async function paymentsInBooks(db: Queryable, orderIds: readonly string[]): Promise<PaymentInBooks[]> {
  return (await db.query<Row>(FIND, [orderIds])).map(fromRow);
}

/** Up to `limit` ids of orders that have a payment, sorted, each greater than `after`. */
export async function ordersWithPayment(db: Queryable, after: string, limit: number): Promise<string[]> {
  return (await db.query<{ orderId: string }>(ORDERS, [after, limit])).map(({ orderId }) => orderId);
}

function fromRow({ orderId, state, amountMinor, refundedMinor, refundHeldMinor, currency }: Row): PaymentInBooks {
  const money = (minor: bigint): Money => ({ minor, currency });
  return { orderId, state, amount: money(amountMinor), refunded: money(refundedMinor), refundHeld: money(refundHeldMinor) };
}
