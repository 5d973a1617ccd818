import type { Statement, Transaction } from '#database';

// Most orders are known, or nobody has spoken of them before. The LIMIT is how many are asked for: with it the planner goes
// by the primary key, also when it has first seen the table empty.
const LEARN: Statement = {
  name: 'notification.learn_owners',
  text: `WITH asked AS (SELECT * FROM unnest($1::text[], $2::text[]) AS given (order_id, said) LIMIT $3),
         known AS (
           SELECT order_id, user_id FROM asked JOIN order_owner USING (order_id) WHERE user_id IS NOT NULL),
         made AS (
           INSERT INTO order_owner (order_id, user_id)
           SELECT order_id, said FROM asked WHERE order_id NOT IN (SELECT order_id FROM known) ORDER BY order_id
           ON CONFLICT (order_id) DO NOTHING RETURNING order_id, user_id)
         SELECT order_id AS "orderId", user_id AS "userId" FROM known UNION ALL SELECT order_id, user_id FROM made`,
};
// The rest have a row, and had no owner a moment ago. The lock lasts until the transaction ends, so whoever parks something
// and whoever learns whose it is come one after the other, and what is parked is found. An owner never changes, so nobody
// needs a lock to read one.
const SETTLE: Statement = {
  name: 'notification.settle_owners',
  text: `WITH asked AS (SELECT * FROM unnest($1::text[], $2::text[]) AS given (order_id, said) LIMIT $3),
         found AS (
           SELECT order_id, user_id, said FROM asked JOIN order_owner USING (order_id) ORDER BY order_id FOR UPDATE OF order_owner),
         settled AS (
           UPDATE order_owner SET user_id = said FROM found
           WHERE order_owner.order_id = found.order_id AND found.user_id IS NULL AND said IS NOT NULL RETURNING order_owner.order_id)
         SELECT order_id AS "orderId", coalesce(user_id, said) AS "userId", order_id IN (SELECT order_id FROM settled) AS "isNew" FROM found`,
};

/** An order and the user whose it is; null while nobody has said so. */
interface Owned {
  readonly orderId: string;
  readonly userId: string | null;
}

export interface OrderOwners {
  /** By order; those that nobody has said yet are left out. */
  readonly owners: ReadonlyMap<string, string>;
  /** Orders that had been waiting for their owners, and have them from now on: there may be something parked. */
  readonly settled: readonly string[];
}

/**
 * Whose orders are. What is said of an owner for the first time holds from then on; an order without one is noted, and
 * its row locked until the transaction ends.
 * @param said by order, at most 100; undefined where nothing is said
 */
export async function learnOwners(tx: Transaction, said: ReadonlyMap<string, string | undefined>): Promise<OrderOwners> {
  const rows = await tx.query<Owned>(LEARN, columnsOf([...said]));
  const answered = new Set(rows.map(({ orderId }) => orderId));
  const waiting = [...said].filter(([orderId]) => !answered.has(orderId));
  const found = waiting.length === 0 ? [] : await tx.query<Owned & { isNew: boolean }>(SETTLE, columnsOf(waiting));
  const owners = [...rows, ...found].flatMap(({ orderId, userId }) => (userId === null ? [] : [[orderId, userId] as const]));
  return { owners: new Map(owners), settled: found.flatMap(({ orderId, isNew }) => (isNew ? [orderId] : [])) };
}

function columnsOf(said: readonly (readonly [orderId: string, userId: string | undefined])[]): unknown[] {
  return [said.map(([orderId]) => orderId), said.map(([, userId]) => userId ?? null), said.length];
}
