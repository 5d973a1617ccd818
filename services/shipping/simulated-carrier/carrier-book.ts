import type { Queryable, Statement } from '#database';

/** One booking as the carrier has it in its books. */
export interface CarrierBookEntry {
  readonly bookingKey: string;
  readonly state: 'BOOKED' | 'CANCELLED';
  /** Null when the key was cancelled before it was booked; so is the tracking number. */
  readonly orderId: string | null;
  readonly trackingNumber: string | null;
  /** When it was booked; once CANCELLED, when that was. */
  readonly time: Date;
}

const COLUMNS = `booking_key AS "bookingKey", state, order_id AS "orderId", tracking_number AS "trackingNumber", time`;

const READ: Statement = {
  name: 'simulated_carrier.read_book',
  text: `SELECT ${COLUMNS} FROM carrier_booking ORDER BY time, booking_key`,
};
const READ_ORDER: Statement = {
  name: 'simulated_carrier.read_book_of_order',
  text: `SELECT ${COLUMNS} FROM carrier_booking WHERE order_id = $1 ORDER BY time, booking_key`,
};
const FIND: Statement = {
  name: 'simulated_carrier.find',
  text: `SELECT ${COLUMNS} FROM carrier_booking WHERE booking_key = $1`,
};
const BOOK: Statement = {
  name: 'simulated_carrier.record_booking',
  text: `INSERT INTO carrier_booking (booking_key, state, order_id, tracking_number, time) VALUES ($1, 'BOOKED', $2, $3, $4)
         ON CONFLICT (booking_key) DO NOTHING RETURNING ${COLUMNS}`,
};
const CANCEL: Statement = {
  name: 'simulated_carrier.record_cancellation',
  text: `INSERT INTO carrier_booking AS known (booking_key, state, time) VALUES ($1, 'CANCELLED', $2)
         ON CONFLICT (booking_key) DO UPDATE SET state = 'CANCELLED', time = EXCLUDED.time WHERE known.state = 'BOOKED'`,
};
const COUNT_TRY: Statement = {
  name: 'simulated_carrier.count_try',
  text: `INSERT INTO carrier_try AS counted (booking_key, tries) VALUES ($1, 1)
         ON CONFLICT (booking_key) DO UPDATE SET tries = counted.tries + 1 RETURNING tries`,
};

/** Every entry, oldest first, or those of one order. What "one shipment for each order" is judged by. */
export function readCarrierBook(db: Queryable, only: { readonly orderId?: string } = {}): Promise<CarrierBookEntry[]> {
  return only.orderId === undefined ? db.query(READ, []) : db.query(READ_ORDER, [only.orderId]);
}

type Booked = Pick<CarrierBookEntry, 'bookingKey' | 'orderId' | 'trackingNumber' | 'time'>;

/** Writes a booking unless its key is known, and answers what then stands under the key. */
export async function recordBooking(db: Queryable, { bookingKey, orderId, trackingNumber, time }: Booked): Promise<CarrierBookEntry> {
  const [written] = await db.query<CarrierBookEntry>(BOOK, [bookingKey, orderId, trackingNumber, time]);
  if (written) return written;
  const found = await db.query<CarrierBookEntry>(FIND, [bookingKey]);
  // It was there when the INSERT met it, and nothing is ever deleted.
  return found[0] as CarrierBookEntry;
}

/** Cancels what stands under the key, or writes the key down so that it is not booked later. */
export async function recordCancellation(db: Queryable, bookingKey: string, time: Date): Promise<void> {
  await db.query(CANCEL, [bookingKey, time]);
}

/** Counts one more try of a booking; 1 for the first. */
export async function countTry(db: Queryable, bookingKey: string): Promise<number> {
  const rows = await db.query<{ tries: number }>(COUNT_TRY, [bookingKey]);
  // INSERT … ON CONFLICT DO UPDATE … RETURNING always returns the row.
  return (rows[0] as { tries: number }).tries;
}
