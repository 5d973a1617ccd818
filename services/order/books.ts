import type { Queryable, Statement } from '#database';
import type { Money } from '#kit';

import type { OrderState } from './domain.ts';

/** An order as far as the other services' books can be compared with it. */
export interface OrderInBooks {
  readonly orderId: string;
  readonly state: OrderState;
  readonly total: Money;
  readonly lines: readonly { readonly productId: string; readonly quantity: number }[];
  /** The carrier's; empty until the shipment is booked. */
  readonly trackingNumber: string;
  readonly updateTime: Date;
  /** Another one after each move of the order. */
  readonly version: string;
}

interface Row extends Omit<OrderInBooks, 'total'> {
  readonly totalMinor: bigint;
  readonly currency: string;
}

// The time as text: a Date has lost its microseconds.
const COLUMNS = `order_id AS "orderId", state, total_minor AS "totalMinor", currency, lines,
  tracking_number AS "trackingNumber", update_time AS "updateTime", update_time::text AS version`;

const PAGE: Statement = { name: 'order.books_page', text: `SELECT ${COLUMNS} FROM orders WHERE order_id > $1 ORDER BY order_id LIMIT $2` };
const FIND: Statement = { name: 'order.books_find', text: `SELECT ${COLUMNS} FROM orders WHERE order_id = ANY($1)` };
const UNKNOWN: Statement = {
  name: 'order.books_unknown',
  text: `SELECT id FROM unnest($1::text[]) AS asked (id) WHERE NOT EXISTS (SELECT FROM orders WHERE order_id = id)`,
};

/** The `limit` orders that follow the one called `after`, in the order of their ids; '' for the first. */
export async function pageOfOrders(db: Queryable, after: string, limit: number): Promise<OrderInBooks[]> {
  return (await db.query<Row>(PAGE, [after, limit])).map(fromRow);
}

export async function ordersInBooks(db: Queryable, orderIds: readonly string[]): Promise<OrderInBooks[]> {
  return (await db.query<Row>(FIND, [orderIds])).map(fromRow);
}

/** Those of the ids that are no order's. */
export async function unknownOrders(db: Queryable, orderIds: readonly string[]): Promise<string[]> {
  return (await db.query<{ id: string }>(UNKNOWN, [orderIds])).map(({ id }) => id);
}

function fromRow({ totalMinor, currency, lines, ...order }: Row): OrderInBooks {
  return { ...order, total: { minor: totalMinor, currency }, lines: lines.map(({ productId, quantity }) => ({ productId, quantity })) };
}
