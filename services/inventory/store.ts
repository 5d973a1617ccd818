import type { Queryable, Statement, Transaction } from '#database';

import type { Line, Reservation, ReservationState, Stock } from './domain.ts';

const STOCK_COLUMNS = `product_id AS "productId", available, reserved, sold, received, update_time AS "updateTime"`;

const SET_STOCK: Statement = {
  name: 'inventory.set_stock',
  text: `INSERT INTO stock (product_id, available, received) VALUES ($1, $2, $2)
         ON CONFLICT (product_id) DO UPDATE
           SET available = excluded.available, received = stock.received + excluded.available - stock.available, update_time = now()
         RETURNING ${STOCK_COLUMNS}`,
};
const FIND_STOCK: Statement = { name: 'inventory.find_stock', text: `SELECT ${STOCK_COLUMNS} FROM stock WHERE product_id = $1` };

// By Postgres' clock, which is also the one that is asked whether it is due: instances need not agree on the time.
const OPEN: Statement = {
  name: 'inventory.open_reservation',
  text: `INSERT INTO reservation (order_id, state, expire_time) VALUES ($1, $2, now() + $3::double precision * interval '1 millisecond')
         ON CONFLICT (order_id) DO NOTHING RETURNING order_id`,
};
const FIND_RESERVATION: Statement = {
  name: 'inventory.find_reservation',
  text: `SELECT r.order_id AS "orderId", r.state, r.create_time AS "createTime", r.expire_time AS "expireTime",
           coalesce(jsonb_agg(jsonb_build_object('productId', l.product_id, 'quantity', l.quantity) ORDER BY l.product_id)
             FILTER (WHERE l.product_id IS NOT NULL), '[]') AS lines
         FROM reservation r LEFT JOIN reservation_line l USING (order_id)
         WHERE r.order_id = $1 GROUP BY r.order_id`,
};

// Rows are locked in the order of their ids, so two orders for the same products wait for each other instead of deadlocking.
const TAKE: Statement = {
  name: 'inventory.take',
  text: `WITH wanted AS (SELECT * FROM unnest($2::text[], $3::integer[]) AS w (product_id, quantity)),
           locked AS (SELECT s.product_id, w.quantity, s.available >= w.quantity AS enough
             FROM stock s JOIN wanted w USING (product_id) ORDER BY s.product_id FOR UPDATE OF s),
           taken AS (UPDATE stock s SET available = s.available - l.quantity, reserved = s.reserved + l.quantity, update_time = now()
             FROM locked l WHERE s.product_id = l.product_id AND l.enough RETURNING s.product_id),
           lines AS (INSERT INTO reservation_line (order_id, product_id, quantity)
             SELECT $1, l.product_id, l.quantity FROM locked l WHERE l.enough)
         SELECT product_id AS "productId", enough FROM locked`,
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

/**
 * Writes a reservation without lines that is due in `ttlMs`; false when the order has one.
 * Waits for a concurrent one of the same order.
 */
export async function openReservation(db: Queryable, orderId: string, state: ReservationState, ttlMs: number): Promise<boolean> {
  return (await db.query(OPEN, [orderId, state, ttlMs])).length === 1;
}

export async function findReservation(db: Queryable, orderId: string): Promise<Reservation | undefined> {
  const [row] = await db.query<Reservation>(FIND_RESERVATION, [orderId]);
  return row;
}

/** Sets the lines aside as far as there is enough, and says for each known product whether there was. */
export function takeStock(tx: Transaction, orderId: string, lines: readonly Line[]): Promise<{ productId: string; enough: boolean }[]> {
  return tx.query(TAKE, [orderId, lines.map((line) => line.productId), lines.map((line) => line.quantity)]);
}
