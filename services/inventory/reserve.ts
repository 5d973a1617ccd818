import type { Queryable, Statement } from '#database';
import { refusal } from '#kit';

import type { Line, Reservation, ReserveOutcome } from './domain.ts';
import { findReservations } from './store.ts';

/** What a Reserve asks for. */
export interface Wanted {
  readonly orderId: string;
  readonly lines: readonly Line[];
}

// Orders are served in the order in which they stand: one is opened when of each of its products there is enough for it
// and for all who stand before it. The opened reservations are locked first and stock then, each in the order of their
// ids, as by every transition: so nobody waits in a circle. What was available when the statement began may be gone when
// it has the lock: then the table's check ends it, and nothing of it has happened. `available` is asked for line by line,
// and the LIMIT is how many lines there are: so the planner goes by the primary key, also when it first saw the table empty.
// By Postgres' clock, which is also the one that is asked whether it is due: instances need not agree on the time.
const RESERVE: Statement = {
  name: 'inventory.reserve',
  text: `WITH wanted AS (
             SELECT given.*, (SELECT available FROM stock s WHERE s.product_id = given.product_id) AS available
             FROM unnest($1::text[], $2::text[], $3::integer[]) WITH ORDINALITY AS given (order_id, product_id, quantity, place)),
           judged AS (
             SELECT order_id, every(coalesce(so_far <= available, false)) AS enough,
               array_agg(product_id) FILTER (WHERE available IS NULL) AS unset, array_agg(product_id) FILTER (WHERE quantity > available) AS short
             FROM (SELECT *, sum(quantity) OVER (PARTITION BY product_id ORDER BY place) AS so_far FROM wanted) AS line GROUP BY order_id),
           opened AS (
             INSERT INTO reservation (order_id, state, expire_time)
             SELECT order_id, 'RESERVED', now() + $4::double precision * interval '1 millisecond' FROM judged WHERE enough ORDER BY order_id
             ON CONFLICT (order_id) DO NOTHING RETURNING order_id, create_time, expire_time),
           line AS (SELECT order_id, product_id, quantity FROM opened JOIN wanted USING (order_id)),
           written AS (INSERT INTO reservation_line (order_id, product_id, quantity) SELECT order_id, product_id, quantity FROM line),
           goods AS (SELECT product_id, sum(quantity) AS quantity FROM line GROUP BY product_id LIMIT $5),
           locked AS (SELECT s.product_id, g.quantity FROM goods g JOIN stock s USING (product_id) ORDER BY s.product_id FOR NO KEY UPDATE OF s),
           taken AS (UPDATE stock s SET available = s.available - l.quantity, reserved = s.reserved + l.quantity, update_time = now()
             FROM locked l WHERE s.product_id = l.product_id)
         SELECT order_id AS "orderId", enough, unset, short, create_time AS "createTime", expire_time AS "expireTime"
         FROM judged LEFT JOIN opened USING (order_id)`,
};
const NEVER_OVERSOLD = 'stock_available_check';

/** Each time somebody else has taken goods, so without new ones it cannot go on for long. */
const MAX_OUTRUNS = 10;

/** What a look says of an order. */
interface Verdict {
  readonly orderId: string;
  /** For it and for all before it. */
  readonly enough: boolean;
  /** Products whose stock was never set; null for none. */
  readonly unset: readonly string[] | null;
  /** Products of which there are fewer than it wants; null for none. */
  readonly short: readonly string[] | null;
  /** These two are null when it was not opened. */
  readonly createTime: Date | null;
  readonly expireTime: Date | null;
}

/**
 * Sets aside for `ttlMs` what the orders want, each all or nothing, and says what became of each, in their order.
 * One statement for all, until stock runs out: then those who stand behind others are looked at once more, when it is known
 * what these got. So nobody is refused for the sake of one who gets nothing himself. Each look settles the first at least.
 */
export async function reserveAll(db: Queryable, orders: readonly Wanted[], ttlMs: number): Promise<(ReserveOutcome | undefined)[]> {
  const outcomes = new Map<Wanted, ReserveOutcome | undefined>();
  let left = orders;
  for (let looks = 0; left.length > 0 && looks < orders.length; looks += 1) {
    await settle(db, firstOfEach(left), ttlMs, outcomes);
    left = left.filter((order) => !outcomes.has(order));
  }
  return orders.map((order) => outcomes.get(order));
}

/** Of several calls for one order each has its own turn. */
function firstOfEach(orders: readonly Wanted[]): Map<string, Wanted> {
  const first = new Map<string, Wanted>();
  for (const order of orders) if (!first.has(order.orderId)) first.set(order.orderId, order);
  return first;
}

/** Looks once, and writes down the outcome of each order that has one by that. */
async function settle(db: Queryable, orders: ReadonlyMap<string, Wanted>, ttlMs: number, outcomes: Map<Wanted, ReserveOutcome | undefined>): Promise<void> {
  const verdicts = await look(db, [...orders.values()], ttlMs);
  // The others stand behind one who wants the same.
  const settled = verdicts.filter(({ enough, unset, short }) => enough || unset || short);
  const known = await findReservations(db, settled.filter(({ createTime }) => !createTime).map(({ orderId }) => orderId));
  for (const verdict of settled) {
    const order = orders.get(verdict.orderId);
    if (order) outcomes.set(order, outcomeOf(order, verdict, known.get(verdict.orderId)));
  }
}

function outcomeOf({ orderId, lines }: Wanted, { unset, short, createTime, expireTime }: Verdict, known: Reservation | undefined): ReserveOutcome | undefined {
  if (createTime && expireTime) {
    const inOrder = lines.toSorted((one, other) => (one.productId < other.productId ? -1 : 1));
    return { kind: 'reserved', reservation: { orderId, state: 'RESERVED', lines: inOrder, createTime, expireTime } };
  }
  if (known) return { kind: 'repeat', reservation: known };
  const line = lines.find(({ productId }) => unset?.includes(productId) || short?.includes(productId));
  return line && { kind: 'refused', line, isStockSet: !unset?.includes(line.productId) };
}

async function look(db: Queryable, orders: readonly Wanted[], ttlMs: number): Promise<Verdict[]> {
  const lines = orders.flatMap((order) => order.lines.map((line) => ({ orderId: order.orderId, ...line })));
  const values = [
    lines.map(({ orderId }) => orderId),
    lines.map(({ productId }) => productId),
    lines.map(({ quantity }) => quantity),
    ttlMs,
    lines.length,
  ];
  for (let outruns = 1; ; outruns += 1) {
    try {
      return await db.query<Verdict>(RESERVE, values);
    } catch (thrown) {
      if (!isOutrun(thrown)) throw thrown;
      if (outruns === MAX_OUTRUNS) throw refusal('DATABASE_UNAVAILABLE', 'others took the same goods again and again; try again', { cause: thrown, metadata: { trouble: 'conflict' } });
    }
  }
}

/** Somebody else took the goods between the look and the lock. */
function isOutrun(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('constraint' in error && error.constraint === NEVER_OVERSOLD) return true;
  }
  return false;
}
