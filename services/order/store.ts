import type { Queryable, Statement, Transaction } from '#database';
import { type MeshError, type PageRequest, refusal } from '#kit';

import type { Address, Order, OrderChange, OrderLine, OrderState } from './domain.ts';

/** JSON has no bigint: prices stand as decimal strings. */
interface LineJson {
  readonly productId: string;
  /** Not there in orders placed before products had names. */
  readonly name?: string;
  readonly quantity: number;
  readonly minor: string;
}

interface Row extends Omit<Order, 'lines' | 'total'> {
  readonly totalMinor: bigint;
  readonly currency: string;
  readonly lines: readonly LineJson[];
  readonly shippingAddress: Address;
}

const COLUMNS = `order_id AS "orderId", user_id AS "userId", state, reason, total_minor AS "totalMinor", currency,
  payment_method AS "paymentMethod", lines, shipping_address AS "shippingAddress",
  tracking_number AS "trackingNumber", create_time AS "createTime", update_time AS "updateTime"`;

const INSERT: Statement = {
  name: 'order.insert',
  text: `WITH given AS (
           SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[])
             AS given (id, buyer, total, currency, method, lines, address)),
         written AS (
           INSERT INTO orders (order_id, user_id, state, total_minor, currency, payment_method, lines, shipping_address)
           SELECT id, buyer, 'PENDING', total, currency, method, lines, address FROM given)
         INSERT INTO order_change (order_id, sequence, state, reason) SELECT id, 1, 'PENDING', '' FROM given`,
};
// The changes and their numbers, in the statement that makes them. The primary key keeps
// numbers apart, should two ever be made at once. One notification for all: those that notify
// commit one after another. The LIMIT is how many there are: with it the planner goes by the
// primary key, also when it has first seen the table empty.
const MOVE: Statement = {
  name: 'order.move',
  text: `WITH wanted AS (
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
             AS given (wanted_id, from_state, to_state, why, new_tracking_number) LIMIT $6),
         moved AS (
           UPDATE orders SET state = to_state, reason = CASE WHEN to_state = 'CONFIRMED' THEN '' ELSE why END,
             tracking_number = coalesce(new_tracking_number, tracking_number), update_time = now()
           FROM wanted WHERE order_id = wanted_id AND state = from_state RETURNING ${COLUMNS}, why),
         numbered AS (
           INSERT INTO order_change (order_id, sequence, state, reason)
           SELECT "orderId", (SELECT max(sequence) + 1 FROM order_change WHERE order_id = "orderId"), state, why FROM moved)
         SELECT moved.*, told.told FROM moved, (SELECT pg_notify($7, string_agg("orderId", ',')) AS told FROM moved) AS told`,
};
// The LIMIT as above.
const FIND: Statement = {
  name: 'order.find',
  text: `SELECT ${COLUMNS} FROM (SELECT * FROM unnest($1::text[]) AS given (wanted_id) LIMIT $2) AS wanted JOIN orders ON order_id = wanted_id`,
};
const LIST: Statement = {
  name: 'order.list',
  text: `SELECT ${COLUMNS} FROM orders WHERE user_id = $1 AND ($2::text IS NULL OR order_id < $2) ORDER BY order_id DESC LIMIT $3`,
};
const CHANGES: Statement = {
  name: 'order.changes',
  text: `SELECT sequence, state, reason, time FROM order_change WHERE order_id = $1 AND sequence > $2 ORDER BY sequence LIMIT 100`,
};
const LAST_CHANGE: Statement = {
  name: 'order.last_change',
  text: `SELECT sequence, state, reason, time FROM order_change WHERE order_id = $1 ORDER BY sequence DESC LIMIT 1`,
};
/** LISTEN channel that carries the ids of orders that changed, with commas between. Channels belong to the database, so it has the schema's name in it. */
export const ORDER_CHANGED = 'order_changed';

/** An order that is about to be written. */
export type NewOrder = Omit<Order, 'state' | 'reason' | 'trackingNumber' | 'createTime' | 'updateTime'>;

/** Writes PENDING orders, each with its first change. */
export async function insertOrders(tx: Transaction, orders: readonly NewOrder[]): Promise<void> {
  if (orders.length === 0) return;
  await tx.query(INSERT, [
    orders.map(({ orderId }) => orderId),
    orders.map(({ userId }) => userId),
    orders.map(({ total }) => total.minor),
    orders.map(({ total }) => total.currency),
    orders.map(({ paymentMethod }) => paymentMethod),
    orders.map(({ lines }) => JSON.stringify(lines.map(lineToJson))),
    orders.map(({ shippingAddress }) => JSON.stringify(shippingAddress)),
  ]);
}

export interface Move {
  readonly orderId: string;
  readonly from: OrderState;
  readonly to: OrderState;
  /** Kept with the change, and with an order that ends by it. */
  readonly reason: string;
  /** The carrier's, once it is known. */
  readonly trackingNumber?: string;
}

/** Moves orders on, at most 100 at once, and tells watchers. Returns by their ids those that were in state `from`. */
export async function moveOrders(tx: Transaction, moves: readonly Move[]): Promise<ReadonlyMap<string, Order>> {
  const rows = await tx.query<Row & { why: string; told: string }>(MOVE, [
    moves.map(({ orderId }) => orderId),
    moves.map(({ from }) => from),
    moves.map(({ to }) => to),
    moves.map(({ reason }) => reason),
    moves.map(({ trackingNumber }) => trackingNumber ?? null),
    moves.length,
    ORDER_CHANGED,
  ]);
  return new Map(rows.map(({ why: _why, told: _told, ...row }) => [row.orderId, fromRow(row)]));
}

/** Moves one order on; undefined when it is not in state `from`. */
export async function moveOrder(tx: Transaction, move: Move): Promise<Order | undefined> {
  return (await moveOrders(tx, [move])).get(move.orderId);
}

/** Those of these orders that there are, by their ids. */
export async function findOrders(db: Queryable, orderIds: readonly string[]): Promise<ReadonlyMap<string, Order>> {
  const rows = await db.query<Row>(FIND, [orderIds, orderIds.length]);
  return new Map(rows.map((row) => [row.orderId, fromRow(row)]));
}

/** ORDER_NOT_FOUND. */
export async function orderOf(db: Queryable, orderId: string): Promise<Order> {
  return requireFound((await findOrders(db, [orderId])).get(orderId), orderId);
}

/** ORDER_NOT_FOUND. */
export function requireFound(order: Order | undefined, orderId: string): Order {
  if (order) return order;
  throw orderNotFound(orderId);
}

/** What is said of an order that there is not, and to whoever asks for another's. */
export function orderNotFound(orderId: string): MeshError {
  return refusal('ORDER_NOT_FOUND', `there is no order ${orderId}`, { metadata: { order_id: orderId } });
}

/** A user's orders, newest first (ids are UUIDv7); one more than the page holds. */
export async function listOrders(db: Queryable, userId: string, page: PageRequest): Promise<Order[]> {
  return (await db.query<Row>(LIST, [userId, page.after ?? null, page.size + 1])).map(fromRow);
}

/** The changes numbered higher than `afterSequence`, at most 100. */
export function changesAfter(db: Queryable, orderId: string, afterSequence: bigint): Promise<OrderChange[]> {
  return db.query<OrderChange>(CHANGES, [orderId, afterSequence]);
}

/** The newest change; an order has at least the one that placed it. */
export async function lastChange(db: Queryable, orderId: string): Promise<OrderChange | undefined> {
  const [change] = await db.query<OrderChange>(LAST_CHANGE, [orderId]);
  return change;
}

function fromRow({ totalMinor, currency, lines, ...order }: Row): Order {
  return { ...order, total: { minor: totalMinor, currency }, lines: lines.map((line) => lineFromJson(line, currency)) };
}

function lineToJson({ productId, name, quantity, unitPrice }: OrderLine): LineJson {
  return { productId, name, quantity, minor: unitPrice.minor.toString() };
}

function lineFromJson({ productId, name = '', quantity, minor }: LineJson, currency: string): OrderLine {
  return { productId, name, quantity, unitPrice: { minor: BigInt(minor), currency } };
}
