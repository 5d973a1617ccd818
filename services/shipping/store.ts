import type { Queryable, Statement, Transaction } from '#database';

import { type Consignment, REACHED_FROM, type Shipment } from './domain.ts';

/** The columns are named as the fields are, so a row is a shipment. */
type Row = Shipment;

const COLUMNS = `shipment_id AS "shipmentId", order_id AS "orderId", state, tracking_number AS "trackingNumber", refusal,
  address, lines, create_time AS "createTime", update_time AS "updateTime"`;

// Both of these run for every shipment, so they write many at once: see `createShipmentWriter`.
const OPEN: Statement = {
  name: 'shipping.open',
  text: `INSERT INTO shipment (shipment_id, order_id, state, address, lines, create_time, update_time)
         SELECT id, wanted_by, 'BOOKING', place, goods, now, now
         FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::jsonb[], $5::timestamptz[]) AS given (id, wanted_by, place, goods, now)
         ON CONFLICT (order_id) DO NOTHING RETURNING ${COLUMNS}`,
};
// All rows are locked, by their ids, also those whose state leads nowhere: then no two groups wait for each other in a circle,
// and whoever moves one of them again in the same transaction has its lock. The LIMIT is how many there are: with it the
// planner goes by the primary key, also when it has first seen the table empty.
const MOVE: Statement = {
  name: 'shipping.move',
  text: `WITH wanted AS (
           SELECT given.* FROM (
             SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
               AS given (id, from_states, to_state, number, words, now) LIMIT $7) AS given
           JOIN shipment ON shipment_id = id ORDER BY id FOR NO KEY UPDATE OF shipment)
         UPDATE shipment SET state = to_state, tracking_number = coalesce(number, tracking_number), refusal = words, update_time = now
         FROM wanted WHERE shipment_id = id AND state = ANY (string_to_array(from_states, ' ')) RETURNING ${COLUMNS}`,
};
const CLOSE: Statement = {
  name: 'shipping.close',
  text: `INSERT INTO shipment (shipment_id, order_id, state, lines, create_time, update_time)
         VALUES ($1, $2, 'CANCELLED', '[]', $3, $3)
         ON CONFLICT (order_id) DO NOTHING RETURNING ${COLUMNS}`,
};
const FIND: Statement = { name: 'shipping.find', text: `SELECT ${COLUMNS} FROM shipment WHERE shipment_id = $1` };
const FIND_OF_ORDER: Statement = { name: 'shipping.find_of_order', text: `SELECT ${COLUMNS} FROM shipment WHERE order_id = $1` };

/** Names a new shipment, and when it came to be. */
export interface Birth {
  readonly shipmentId: string;
  readonly now: Date;
}

/** A shipment that has come to be for an order. */
export interface NewShipment extends Birth, Consignment {}

/** Writes shipments as BOOKING, and answers those that it wrote: an order that has one already keeps it. Waits for a concurrent one of the same order. */
export function openShipments(db: Queryable, shipments: readonly NewShipment[]): Promise<Shipment[]> {
  // Two groups that come to the same orders in the same order never wait for each other in a circle.
  const sorted = shipments.toSorted((a, b) => (a.orderId < b.orderId ? -1 : Number(a.orderId > b.orderId)));
  return db.query<Row>(OPEN, [
    sorted.map(({ shipmentId }) => shipmentId),
    sorted.map(({ orderId }) => orderId),
    sorted.map(({ address }) => JSON.stringify(address)),
    sorted.map(({ lines }) => JSON.stringify(lines)),
    sorted.map(({ now }) => now),
  ]);
}

/** Leaves a CANCELLED shipment behind for an order that has none, so that a late ScheduleShipment is refused; undefined when it has one. */
export async function closeShipment(db: Queryable, { shipmentId, now }: Birth, orderId: string): Promise<Shipment | undefined> {
  const [row] = await db.query<Row>(CLOSE, [shipmentId, orderId, now]);
  return row;
}

export async function findShipment(db: Queryable, shipmentId: string): Promise<Shipment | undefined> {
  const [row] = await db.query<Row>(FIND, [shipmentId]);
  return row;
}

export async function findShipmentOfOrder(db: Queryable, orderId: string): Promise<Shipment | undefined> {
  const [row] = await db.query<Row>(FIND_OF_ORDER, [orderId]);
  return row;
}

/** A step of the state machine, with what was learnt on it. */
export type Step =
  | { readonly to: 'SCHEDULED'; readonly trackingNumber: string }
  | { readonly to: 'REFUSED'; readonly refusal: string }
  | { readonly to: 'HANDED_OVER' | 'CANCELLING' | 'CANCELLED' };

/** A step of one shipment. */
export type Move = Step & { readonly shipmentId: string; readonly now: Date };

/** Moves shipments on, each once, and answers them as they are then: one that is in no state that leads there stays what it is. */
export function moveShipments(tx: Transaction, moves: readonly Move[]): Promise<Shipment[]> {
  return tx.query<Row>(MOVE, [
    moves.map(({ shipmentId }) => shipmentId),
    moves.map(({ to }) => REACHED_FROM[to].join(' ')),
    moves.map(({ to }) => to),
    moves.map((move) => (move.to === 'SCHEDULED' ? move.trackingNumber : null)),
    moves.map((move) => (move.to === 'REFUSED' ? move.refusal : null)),
    moves.map(({ now }) => now),
    moves.length,
  ]);
}
