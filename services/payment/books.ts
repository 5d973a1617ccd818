import type { Queryable, Statement } from '#database';
import type { Money } from '#kit';

import type { PaymentState } from './domain.ts';

export interface PaymentInBooks {
  readonly orderId: string;
  readonly state: PaymentState;
  /** Zero, of no currency, when it was closed before it was charged. */
  readonly amount: Money;
}

interface Row extends Omit<PaymentInBooks, 'amount'> {
  readonly amountMinor: bigint;
  readonly currency: string;
}

const FIND: Statement = {
  name: 'payment.books_find',
  text: `SELECT order_id AS "orderId", state, amount_minor AS "amountMinor", currency FROM payment WHERE order_id = ANY($1)`,
};
const ORDERS: Statement = {
  name: 'payment.books_orders',
  text: `SELECT order_id AS "orderId" FROM payment WHERE order_id > $1 ORDER BY order_id LIMIT $2`,
};

export async function paymentsInBooks(db: Queryable, orderIds: readonly string[]): Promise<PaymentInBooks[]> {
  return (await db.query<Row>(FIND, [orderIds])).map(({ amountMinor: minor, currency, ...payment }) => ({ ...payment, amount: { minor, currency } }));
}

/** Up to `limit` ids of orders that have a payment, sorted, each greater than `after`. */
export async function ordersWithPayment(db: Queryable, after: string, limit: number): Promise<string[]> {
  return (await db.query<{ orderId: string }>(ORDERS, [after, limit])).map(({ orderId }) => orderId);
}
