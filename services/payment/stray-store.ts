import type { Queryable, Statement } from '#database';

import type { ChargeAtProvider } from './card-gateway.ts';

const NOTE: Statement = {
  name: 'stray_capture.note',
  text: `INSERT INTO stray_capture (payment_intent_id, order_id, amount_minor, currency, return_time) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (payment_intent_id) DO NOTHING RETURNING payment_intent_id`,
};
const FIND: Statement = {
  name: 'stray_capture.find',
  text: `SELECT payment_intent_id AS "paymentIntentId", order_id AS "orderId" FROM stray_capture WHERE order_id = ANY($1)`,
};

/** Notes for the books that a stray capture went back; false when it was noted before. */
export async function noteStray(db: Queryable, { paymentIntentId, amount }: ChargeAtProvider, orderId: string, now: Date): Promise<boolean> {
  return (await db.query(NOTE, [paymentIntentId, orderId, amount.minor, amount.currency, now])).length > 0;
}

/** A capture besides the payment of an order. */
export interface StrayInBooks {
  readonly orderId: string;
  readonly paymentIntentId: string;
}

/** Those of these orders that payment gave back. */
export function straysInBooks(db: Queryable, orderIds: readonly string[]): Promise<StrayInBooks[]> {
  return db.query(FIND, [orderIds]);
}
