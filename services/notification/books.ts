import type { Queryable, Statement } from '#database';

import type { Kind } from './domain.ts';

export { type FailingMails, findFailingMails } from './failing-mails.ts';

/** What a buyer is told of the end of an order, in whichever state the mail is. */
export type EndNotice = Extract<Kind, 'ORDER_CONFIRMED' | 'ORDER_FAILED' | 'ORDER_CANCELLED'>;

export interface NoticesInBooks {
  readonly orderId: string;
  /** One for each notice, sorted. */
  readonly notices: readonly EndNotice[];
  /** Whether an event of this order's end could not be handled, and waits for an operator or was given up by one. */
  readonly isDeadLetter: boolean;
}

// The kinds as the index has them. Dead letters stand in this schema, and are few.
const FIND: Statement = {
  name: 'notification.books_find',
  text: `SELECT id AS "orderId",
           ARRAY(SELECT kind FROM notification
             WHERE order_id = id AND kind IN ('ORDER_CONFIRMED', 'ORDER_FAILED', 'ORDER_CANCELLED') ORDER BY kind) AS notices,
           id IN (SELECT subject FROM dead_letter WHERE for_group = 'notification' AND status <> 'REPLAYED'
             AND type IN ('shop.order.v1.OrderConfirmed', 'shop.order.v1.OrderFailed', 'shop.order.v1.OrderCancelled')) AS "isDeadLetter"
         FROM unnest($1::text[]) AS asked (id)`,
};

/** One entry for each id, also where nobody was told anything. */
export function noticesInBooks(db: Queryable, orderIds: readonly string[]): Promise<NoticesInBooks[]> {
  return db.query<NoticesInBooks>(FIND, [orderIds]);
}
