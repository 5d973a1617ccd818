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
  text: `SELECT ${COLUMNS} FROM carrier_booking WHERE booking_key = ANY ($1)`,
};
// Every booking is one of these, so it writes many at once: see `createSimulatedCarrier`.
const BOOK: Statement = {
  name: 'simulated_carrier.record_booking',
  text: `INSERT INTO carrier_booking (booking_key, state, order_id, tracking_number, time)
         SELECT key, 'BOOKED', wanted_by, number, at
         FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS given (key, wanted_by, number, at)
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

export type NewBooking = Pick<CarrierBookEntry, 'bookingKey' | 'orderId' | 'trackingNumber' | 'time'>;

/** Writes bookings unless their keys are known, and answers, in their order, what then stands under the key of each. */
export async function recordBookings(db: Queryable, bookings: readonly NewBooking[]): Promise<CarrierBookEntry[]> {
  // Two groups that come to the same keys in the same order never wait for each other in a circle.
  const sorted = bookings.toSorted((a, b) => (a.bookingKey < b.bookingKey ? -1 : Number(a.bookingKey > b.bookingKey)));
  const written = await db.query<CarrierBookEntry>(BOOK, [
    sorted.map(({ bookingKey }) => bookingKey),
    sorted.map(({ orderId }) => orderId),
    sorted.map(({ trackingNumber }) => trackingNumber),
    sorted.map(({ time }) => time),
  ]);
  const entries = new Map(written.map((entry) => [entry.bookingKey, entry]));
  const known = bookings.filter(({ bookingKey }) => !entries.has(bookingKey)).map(({ bookingKey }) => bookingKey);
  const found = known.length > 0 ? await db.query<CarrierBookEntry>(FIND, [known]) : [];
  for (const entry of found) entries.set(entry.bookingKey, entry);
  // What the INSERT did not write was there when it met it, and nothing is ever deleted.
  return bookings.map(({ bookingKey }) => entries.get(bookingKey) as CarrierBookEntry);
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
