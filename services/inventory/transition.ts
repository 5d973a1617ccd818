import type { Queryable, Statement } from '#database';

import { PILE_OF, type Reservation, type ReservationState } from './domain.ts';
import { byOrder, LINES } from './store.ts';

/**
 * Moves those of the reservations `held` that are in state `from` on to state `to`, and their goods
 * from pile to pile, all in one statement; answers all of `held` as they are then, with their lines. It
 * locks reservations first and stock then, each in the order of their ids, as Reserve does: so nobody
 * waits in a circle. The stock of a product is changed once, however many of them have reserved it.
 *
 * Each LIMIT is how many there are: with it the planner goes by the primary key, also when it first saw the table empty.
 */
function transition(name: string, from: ReservationState, to: ReservationState, held: string): Statement {
  const [source, target] = [PILE_OF[from], PILE_OF[to]];
  return {
    name: `inventory.${name}`,
    text: `WITH held AS (${held}),
             moved AS (UPDATE reservation r SET state = '${to}' FROM held h WHERE r.order_id = h.order_id AND h.state = '${from}'),
             line AS (SELECT h.*, l.product_id, l.quantity FROM held h LEFT JOIN reservation_line l USING (order_id)),
             goods AS (SELECT product_id, sum(quantity) AS quantity FROM line WHERE state = '${from}' GROUP BY product_id),
             locked AS (SELECT s.product_id, g.quantity
               FROM (SELECT * FROM goods LIMIT (SELECT count(*) FROM goods)) AS g JOIN stock s USING (product_id)
               ORDER BY s.product_id FOR NO KEY UPDATE OF s),
             piled AS (UPDATE stock s SET ${source} = s.${source} - l.quantity, ${target} = s.${target} + l.quantity, update_time = now()
               FROM locked l WHERE s.product_id = l.product_id)
           SELECT order_id AS "orderId", CASE state WHEN '${from}' THEN '${to}' ELSE state END AS state,
             create_time AS "createTime", expire_time AS "expireTime", ${LINES}
           FROM line GROUP BY order_id, state, create_time, expire_time`,
  };
}

const COLUMNS = 'r.order_id, r.state, r.create_time, r.expire_time';
// Asks for no state: for RESERVED ones the planner might go through the index of all that may become due.
const GIVEN = `SELECT ${COLUMNS} FROM (SELECT * FROM unnest($1::text[]) AS given (order_id) LIMIT $2) AS wanted
  JOIN reservation r USING (order_id) ORDER BY r.order_id FOR NO KEY UPDATE OF r`;
// What a Commit or another instance holds is left to it.
const DUE = `SELECT ${COLUMNS} FROM reservation r WHERE r.state = 'RESERVED' AND r.expire_time <= now()
  ORDER BY r.expire_time LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED`;

const COMMIT = transition('commit', 'RESERVED', 'COMMITTED', GIVEN);
const RELEASE = transition('release', 'RESERVED', 'RELEASED', GIVEN);
const RESTOCK = transition('restock', 'COMMITTED', 'RESTOCKED', GIVEN);
const EXPIRE = transition('expire', 'RESERVED', 'EXPIRED', DUE);

// By Postgres' clock, as in `reserve.ts`. In the order of the ids, for it waits for whoever writes the same ones.
const OPEN_RELEASED: Statement = {
  name: 'inventory.open_released',
  text: `INSERT INTO reservation (order_id, state, expire_time)
         SELECT order_id, 'RELEASED', now() + $2::double precision * interval '1 millisecond'
         FROM unnest($1::text[]) AS given (order_id) ORDER BY order_id
         ON CONFLICT (order_id) DO NOTHING
         RETURNING order_id AS "orderId", state, create_time AS "createTime", expire_time AS "expireTime", '[]'::jsonb AS lines`,
};

/** Sells what the orders have set aside. Returns the reservations as they are now, by their orders: only of a RESERVED one the state has changed. */
export function commitReservations(db: Queryable, orderIds: readonly string[]): Promise<Map<string, Reservation>> {
  return moveGiven(db, COMMIT, orderIds);
}

/** Gives back what the orders have set aside. Returns the reservations as they are now: only of a RESERVED one the state has changed. */
export function releaseReservations(db: Queryable, orderIds: readonly string[]): Promise<Map<string, Reservation>> {
  return moveGiven(db, RELEASE, orderIds);
}

/** Takes back what the orders have bought. Returns the reservations as they are now: only of a COMMITTED one the state has changed. */
export function restockReservations(db: Queryable, orderIds: readonly string[]): Promise<Map<string, Reservation>> {
  return moveGiven(db, RESTOCK, orderIds);
}

async function moveGiven(db: Queryable, statement: Statement, orderIds: readonly string[]): Promise<Map<string, Reservation>> {
  // One named twice would move its goods twice.
  const distinct = [...new Set(orderIds)];
  return byOrder(await db.query<Reservation>(statement, [distinct, distinct.length]));
}

/**
 * Leaves a RELEASED reservation without lines behind for orders that have none, and returns those that it wrote.
 * Waits for a Reserve of the same order.
 */
export async function openReleased(db: Queryable, orderIds: readonly string[], ttlMs: number): Promise<Map<string, Reservation>> {
  return byOrder(await db.query<Reservation>(OPEN_RELEASED, [orderIds, ttlMs]));
}

/** Gives back what is due, `limit` reservations at most, and returns how many they were. */
export async function expireReservations(db: Queryable, limit: number): Promise<number> {
  return (await db.query(EXPIRE, [limit])).length;
}
