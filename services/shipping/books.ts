import type { Queryable, Statement } from '#database';

import type { ShipmentState } from './domain.ts';

export interface ShipmentInBooks {
  readonly shipmentId: string;
  readonly orderId: string;
  readonly state: ShipmentState;
  /** The carrier's; null until it has taken the booking. */
  readonly trackingNumber: string | null;
}

/** A booking that named an order, as the simulated carrier has it in its book. */
export interface BookingInBooks {
  readonly bookingKey: string;
  readonly orderId: string;
  readonly state: 'BOOKED' | 'CANCELLED';
  readonly trackingNumber: string | null;
}

const FIND: Statement = {
  name: 'shipping.books_find',
  text: `SELECT shipment_id AS "shipmentId", order_id AS "orderId", state, tracking_number AS "trackingNumber"
         FROM shipment WHERE order_id = ANY($1)`,
};
const ORDERS: Statement = {
  name: 'shipping.books_orders',
  text: `SELECT order_id AS "orderId" FROM shipment WHERE order_id > $1 ORDER BY order_id LIMIT $2`,
};
const FIND_BOOKINGS: Statement = {
  name: 'shipping.books_find_bookings',
  text: `SELECT booking_key AS "bookingKey", order_id AS "orderId", state, tracking_number AS "trackingNumber"
         FROM carrier_booking WHERE order_id = ANY($1) ORDER BY booking_key`,
};
const BOOKED_ORDERS: Statement = {
  name: 'shipping.books_booked_orders',
  text: `SELECT DISTINCT order_id AS "orderId" FROM carrier_booking WHERE order_id > $1 ORDER BY order_id LIMIT $2`,
};

export function shipmentsInBooks(db: Queryable, orderIds: readonly string[]): Promise<ShipmentInBooks[]> {
  return db.query<ShipmentInBooks>(FIND, [orderIds]);
}

/** Up to `limit` ids of orders that have a shipment, sorted, each greater than `after`. */
export async function ordersWithShipment(db: Queryable, after: string, limit: number): Promise<string[]> {
  return (await db.query<{ orderId: string }>(ORDERS, [after, limit])).map(({ orderId }) => orderId);
}

// The carrier's tables stand in this schema. Shipping itself asks the carrier, never these.

export function bookingsInBooks(db: Queryable, orderIds: readonly string[]): Promise<BookingInBooks[]> {
  return db.query<BookingInBooks>(FIND_BOOKINGS, [orderIds]);
}

/** Up to `limit` ids of orders that the carrier has in its book, sorted, each greater than `after`. */
export async function ordersWithBooking(db: Queryable, after: string, limit: number): Promise<string[]> {
  return (await db.query<{ orderId: string }>(BOOKED_ORDERS, [after, limit])).map(({ orderId }) => orderId);
}
