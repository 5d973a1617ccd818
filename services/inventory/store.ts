import type { Queryable, Statement } from '#database';

import type { Reservation, Stock } from './domain.ts';

const STOCK_COLUMNS = `product_id AS "productId", available, reserved, sold, received, update_time AS "updateTime"`;

const SET_STOCK: Statement = {
  name: 'inventory.set_stock',
  text: `INSERT INTO stock (product_id, available, received) VALUES ($1, $2, $2)
         ON CONFLICT (product_id) DO UPDATE
           SET available = excluded.available, received = stock.received + excluded.available - stock.available, update_time = now()
         RETURNING ${STOCK_COLUMNS}`,
};
const FIND_STOCK: Statement = { name: 'inventory.find_stock', text: `SELECT ${STOCK_COLUMNS} FROM stock WHERE product_id = $1` };

/** The lines of a reservation as JSON, in the order of their products' bytes, as `reserve.ts` answers them, whatever the database's collation. */
export const LINES = `coalesce(jsonb_agg(jsonb_build_object('productId', product_id, 'quantity', quantity) ORDER BY product_id COLLATE "C")
  FILTER (WHERE product_id IS NOT NULL), '[]') AS lines`;

const FIND_RESERVATIONS: Statement = {
  name: 'inventory.find_reservations',
  text: `SELECT order_id AS "orderId", r.state, r.create_time AS "createTime", r.expire_time AS "expireTime", ${LINES}
         FROM (SELECT * FROM unnest($1::text[]) AS given (order_id) LIMIT $2) AS wanted JOIN reservation r USING (order_id)
           LEFT JOIN reservation_line USING (order_id)
         GROUP BY order_id, r.state, r.create_time, r.expire_time`,
};

/** Sets what is available; the difference counts as received, or taken out. */
export async function setStock(db: Queryable, productId: string, available: bigint): Promise<Stock> {
  const rows = await db.query<Stock>(SET_STOCK, [productId, available]);
  // INSERT … ON CONFLICT DO UPDATE … RETURNING always returns the row.
  return rows[0] as Stock;
}

export async function findStock(db: Queryable, productId: string): Promise<Stock | undefined> {
  const [row] = await db.query<Stock>(FIND_STOCK, [productId]);
  return row;
}

/** Those that there are, by their orders. */
export async function findReservations(db: Queryable, orderIds: readonly string[]): Promise<Map<string, Reservation>> {
  const distinct = [...new Set(orderIds)];
  return byOrder(distinct.length === 0 ? [] : await db.query<Reservation>(FIND_RESERVATIONS, [distinct, distinct.length]));
}

export function byOrder(reservations: readonly Reservation[]): Map<string, Reservation> {
  return new Map(reservations.map((reservation) => [reservation.orderId, reservation]));
}
