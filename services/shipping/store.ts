import type { Queryable, Statement } from '#database';

import { type Consignment, REACHED_FROM, type Shipment } from './domain.ts';

/** The columns are named as the fields are, so a row is a shipment. */
type Row = Shipment;

const COLUMNS = `shipment_id AS "shipmentId", order_id AS "orderId", state, tracking_number AS "trackingNumber", refusal,
  address, lines, create_time AS "createTime", update_time AS "updateTime"`;

const OPEN: Statement = {
  name: 'shipping.open',
  text: `INSERT INTO shipment (shipment_id, order_id, state, address, lines, create_time, update_time)
         VALUES ($1, $2, 'BOOKING', $3, $4, $5, $5)
         ON CONFLICT (order_id) DO NOTHING RETURNING ${COLUMNS}`,
};
const CLOSE: Statement = {
  name: 'shipping.close',
  text: `INSERT INTO shipment (shipment_id, order_id, state, lines, create_time, update_time)
         VALUES ($1, $2, 'CANCELLED', '[]', $3, $3)
         ON CONFLICT (order_id) DO NOTHING RETURNING ${COLUMNS}`,
};
const FIND: Statement = { name: 'shipping.find', text: `SELECT ${COLUMNS} FROM shipment WHERE shipment_id = $1` };
const FIND_OF_ORDER: Statement = { name: 'shipping.find_of_order', text: `SELECT ${COLUMNS} FROM shipment WHERE order_id = $1` };
const MOVE: Statement = {
  name: 'shipping.move',
  text: `UPDATE shipment SET state = $3, tracking_number = coalesce($4, tracking_number), refusal = $5, update_time = $6
         WHERE shipment_id = $1 AND state = ANY($2) RETURNING ${COLUMNS}`,
};

/** Names a new shipment, and when it came to be. */
export interface Birth {
  readonly shipmentId: string;
  readonly now: Date;
}

/** Writes an order's shipment as BOOKING; undefined when it has one. Waits for a concurrent one of the same order. */
export async function openShipment(db: Queryable, { shipmentId, now }: Birth, { orderId, address, lines }: Consignment): Promise<Shipment | undefined> {
  const [row] = await db.query<Row>(OPEN, [shipmentId, orderId, JSON.stringify(address), JSON.stringify(lines), now]);
  return row;
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
export type Move =
  | { readonly to: 'SCHEDULED'; readonly trackingNumber: string }
  | { readonly to: 'REFUSED'; readonly refusal: string }
  | { readonly to: 'HANDED_OVER' | 'CANCELLING' | 'CANCELLED' };

/** Moves a shipment on, and answers it as it is then; undefined when it is in no state that leads there. */
export async function moveShipment(db: Queryable, shipmentId: string, move: Move, now: Date): Promise<Shipment | undefined> {
  const trackingNumber = move.to === 'SCHEDULED' ? move.trackingNumber : null;
  const refusal = move.to === 'REFUSED' ? move.refusal : null;
  const [row] = await db.query<Row>(MOVE, [shipmentId, REACHED_FROM[move.to], move.to, trackingNumber, refusal, now]);
  return row;
}
