import type { Queryable, Statement } from '#database';

import type { Line, ReservationState, Stock } from './domain.ts';

/** A product's piles, and what its reservations say that two of them hold. */
export interface StockInBooks extends Pick<Stock, 'productId' | 'available' | 'reserved' | 'sold' | 'received'> {
  /** Pieces in RESERVED reservations. */
  readonly linesReserved: bigint;
  /** Pieces in COMMITTED reservations. */
  readonly linesSold: bigint;
}

export interface ReservationInBooks {
  readonly orderId: string;
  readonly state: ReservationState;
  readonly lines: readonly Line[];
}

// One statement, so one moment: goods move from pile to pile together with their reservation.
const STOCK: Statement = {
  name: 'inventory.books_stock',
  text: `WITH page AS (
           SELECT product_id, available, reserved, sold, received FROM stock WHERE product_id > $1 ORDER BY product_id LIMIT $2),
         held AS (
           SELECT l.product_id, sum(l.quantity) FILTER (WHERE r.state = 'RESERVED') AS reserved,
             sum(l.quantity) FILTER (WHERE r.state = 'COMMITTED') AS sold
           FROM page JOIN reservation_line l USING (product_id) JOIN reservation r USING (order_id)
           GROUP BY l.product_id)
         SELECT p.product_id AS "productId", p.available, p.reserved, p.sold, p.received,
           coalesce(h.reserved, 0) AS "linesReserved", coalesce(h.sold, 0) AS "linesSold"
         FROM page p LEFT JOIN held h USING (product_id) ORDER BY p.product_id`,
};
const FIND: Statement = {
  name: 'inventory.books_find',
  text: `SELECT r.order_id AS "orderId", r.state,
           coalesce(jsonb_agg(jsonb_build_object('productId', l.product_id, 'quantity', l.quantity) ORDER BY l.product_id)
             FILTER (WHERE l.product_id IS NOT NULL), '[]') AS lines
         FROM reservation r LEFT JOIN reservation_line l USING (order_id)
         WHERE r.order_id = ANY($1) GROUP BY r.order_id`,
};
const ORDERS: Statement = {
  name: 'inventory.books_orders',
  text: `SELECT order_id AS "orderId" FROM reservation WHERE order_id > $1 ORDER BY order_id LIMIT $2`,
};

/** The `limit` products that follow the one called `after`, in the order of their ids; '' for the first. */
export function pageOfStock(db: Queryable, after: string, limit: number): Promise<StockInBooks[]> {
  return db.query<StockInBooks>(STOCK, [after, limit]);
}

export function reservationsInBooks(db: Queryable, orderIds: readonly string[]): Promise<ReservationInBooks[]> {
  return db.query<ReservationInBooks>(FIND, [orderIds]);
}

/** Up to `limit` ids of orders that have a reservation, sorted, each greater than `after`. */
export async function ordersWithReservation(db: Queryable, after: string, limit: number): Promise<string[]> {
  return (await db.query<{ orderId: string }>(ORDERS, [after, limit])).map(({ orderId }) => orderId);
}
