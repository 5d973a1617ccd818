import type { Queryable, Statement } from '#database';

import { PILE_OF, type ReservationState } from './domain.ts';

/**
 * Moves the reservations that `which` picks (and locks) out of those in state `from` on to
 * state `to`, and their goods from pile to pile, all in one statement. It locks reservations first and
 * stock then, in the order of its ids, as Reserve does: so nobody waits in a circle.
 */
function transition(name: string, from: ReservationState, to: ReservationState, which: string): Statement {
  const [source, target] = [PILE_OF[from], PILE_OF[to]];
  return {
    name: `inventory.${name}`,
    text: `WITH claimed AS (SELECT order_id FROM reservation WHERE state = '${from}' AND ${which}),
             moved AS (UPDATE reservation r SET state = '${to}' FROM claimed c WHERE r.order_id = c.order_id),
             goods AS (SELECT l.product_id, sum(l.quantity) AS quantity
               FROM claimed JOIN reservation_line l USING (order_id) GROUP BY l.product_id),
             locked AS (SELECT s.product_id, g.quantity
               FROM stock s JOIN goods g USING (product_id) ORDER BY s.product_id FOR NO KEY UPDATE OF s),
             piled AS (UPDATE stock s SET ${source} = s.${source} - l.quantity, ${target} = s.${target} + l.quantity, update_time = now()
               FROM locked l WHERE s.product_id = l.product_id)
           SELECT order_id AS "orderId" FROM claimed`,
  };
}

const THIS_ORDER = 'order_id = $1 FOR NO KEY UPDATE';
// What a Commit or another instance holds is left to it.
const DUE = 'expire_time <= now() ORDER BY expire_time LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED';

const COMMIT = transition('commit', 'RESERVED', 'COMMITTED', THIS_ORDER);
const RELEASE = transition('release', 'RESERVED', 'RELEASED', THIS_ORDER);
const RESTOCK = transition('restock', 'COMMITTED', 'RESTOCKED', THIS_ORDER);
const EXPIRE = transition('expire', 'RESERVED', 'EXPIRED', DUE);

/** Sells what the order has set aside; nothing when it is not RESERVED. */
export async function commitReservation(db: Queryable, orderId: string): Promise<void> {
  await db.query(COMMIT, [orderId]);
}

/** Gives back what the order has set aside; nothing when it is not RESERVED. */
export async function releaseReservation(db: Queryable, orderId: string): Promise<void> {
  await db.query(RELEASE, [orderId]);
}

/** Takes back what the order has bought; nothing when it is not COMMITTED. */
export async function restockReservation(db: Queryable, orderId: string): Promise<void> {
  await db.query(RESTOCK, [orderId]);
}

/** Gives back what is due, `limit` reservations at most, and returns how many they were. */
export async function expireReservations(db: Queryable, limit: number): Promise<number> {
  return (await db.query(EXPIRE, [limit])).length;
}
