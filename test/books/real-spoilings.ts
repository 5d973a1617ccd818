import type { DifferenceKind } from '../../cli/books/difference.ts';
import type { ModuleName } from '#modules';

/** One way to spoil the tables of a real shop, and what is then to be found. */
export interface RealSpoiling {
  readonly what: string;
  /** What is to become of the order before. */
  readonly of: 'confirmed' | 'cancelled' | 'declined';
  readonly schema: ModuleName | 'ledger';
  /** `$1` is the order's id; `$2`, where it stands, that of its product. */
  readonly sql: string;
  readonly finds: readonly DifferenceKind[];
}

/** The carrier's book and the ledger refuse nothing of this by themselves: "once" is judged by them, not granted. */
export const REAL_SPOILINGS: readonly RealSpoiling[] = [
  { what: 'a capture is missing', of: 'confirmed', schema: 'ledger', sql: 'DELETE FROM ledger WHERE order_id = $1', finds: ['not captured'] },
  {
    what: 'a capture is there twice',
    of: 'confirmed',
    schema: 'ledger',
    sql: `WITH intent AS (
            INSERT INTO payment_intent (id, amount, currency, payment_method, metadata, created_at)
            SELECT 'pi_second' || $1, amount, currency, payment_method, metadata, created_at FROM payment_intent WHERE metadata->>'order_id' = $1
            RETURNING id, amount, currency)
          INSERT INTO ledger (kind, object_id, payment_intent_id, amount, currency, order_id, created_at)
          SELECT 'capture', 'ch_second' || $1, id, amount, currency, $1, now() FROM intent`,
    finds: ['captured more than once'],
  },
  {
    what: 'a cent less was captured',
    of: 'confirmed',
    schema: 'ledger',
    sql: 'UPDATE ledger SET amount = amount - 1 WHERE order_id = $1',
    finds: ['captured another amount'],
  },
  {
    what: 'another currency was captured, and not even a whole króna of it',
    of: 'confirmed',
    schema: 'ledger',
    sql: `UPDATE ledger SET currency = 'isk', amount = amount - 1 WHERE order_id = $1`,
    finds: ['captured another amount'],
  },
  {
    what: 'a part was refunded',
    of: 'confirmed',
    schema: 'ledger',
    sql: `INSERT INTO ledger (kind, object_id, payment_intent_id, amount, currency, order_id, created_at)
          SELECT 'refund', 're_part' || $1, payment_intent_id, 1, currency, $1, now() FROM ledger WHERE order_id = $1`,
    finds: ['refunded though confirmed'],
  },
  {
    what: 'a refund is missing',
    of: 'cancelled',
    schema: 'ledger',
    sql: `DELETE FROM ledger WHERE order_id = $1 AND kind = 'refund'`,
    finds: ['not given back', 'payment differs'],
  },
  {
    what: 'more was refunded than captured',
    of: 'cancelled',
    schema: 'ledger',
    sql: `UPDATE ledger SET amount = amount + 1 WHERE order_id = $1 AND kind = 'refund'`,
    finds: ['refunded more than captured', 'payment differs'],
  },
  { what: 'charge and refund are missing', of: 'cancelled', schema: 'ledger', sql: 'DELETE FROM ledger WHERE order_id = $1', finds: ['payment differs'] },
  {
    what: 'a payment is gone',
    of: 'confirmed',
    schema: 'payment',
    // Past the guards of the table, which refuse it.
    sql: `DELETE FROM payment WHERE order_id = $1 AND set_config('session_replication_role', 'replica', true) <> ''`,
    finds: ['payment differs'],
  },
  {
    what: 'a payment claims to be completed',
    of: 'cancelled',
    schema: 'payment',
    // As above.
    sql: `UPDATE payment SET state = 'COMPLETED' WHERE order_id = $1 AND set_config('session_replication_role', 'replica', true) <> ''`,
    finds: ['payment differs'],
  },
  {
    what: 'a reservation was given back without its goods',
    of: 'confirmed',
    schema: 'inventory',
    sql: `UPDATE reservation SET state = 'RELEASED' WHERE order_id = $1`,
    finds: ['reservation differs', 'sold pieces differ'],
  },
  {
    what: 'fewer pieces were sold than ordered',
    of: 'confirmed',
    schema: 'inventory',
    sql: 'UPDATE reservation_line SET quantity = quantity - 1 WHERE order_id = $1',
    finds: ['reserved other lines', 'sold pieces differ'],
  },
  {
    what: 'a piece came to the stock by itself',
    of: 'confirmed',
    schema: 'inventory',
    sql: 'UPDATE stock SET available = available + 1 WHERE product_id = (SELECT product_id FROM reservation_line WHERE order_id = $1)',
    finds: ['pieces do not add up'],
  },
  {
    what: 'a piece is reserved for nobody',
    of: 'declined',
    schema: 'inventory',
    sql: `UPDATE stock SET available = available - 1, reserved = reserved + 1
          WHERE product_id = (SELECT product_id FROM reservation_line WHERE order_id = $1)`,
    finds: ['reserved pieces differ'],
  },
  { what: 'a shipment is gone', of: 'confirmed', schema: 'shipping', sql: 'DELETE FROM shipment WHERE order_id = $1', finds: ['shipment differs'] },
  {
    what: 'a shipment has another tracking number',
    of: 'confirmed',
    schema: 'shipping',
    sql: `UPDATE shipment SET tracking_number = 'SIM-OTHER' WHERE order_id = $1`,
    finds: ['shipment differs'],
  },
  { what: 'the carrier knows of nothing', of: 'confirmed', schema: 'shipping', sql: 'DELETE FROM carrier_booking WHERE order_id = $1', finds: ['not booked'] },
  {
    what: 'the carrier is booked twice',
    of: 'confirmed',
    schema: 'shipping',
    sql: `INSERT INTO carrier_booking (booking_key, state, order_id, tracking_number, time) VALUES ('second-' || $1, 'BOOKED', $1, 'SIM-' || $1, now())`,
    finds: ['booked more than once'],
  },
  {
    what: 'the carrier still comes',
    of: 'cancelled',
    schema: 'shipping',
    sql: `UPDATE carrier_booking SET state = 'BOOKED' WHERE order_id = $1`,
    finds: ['still booked'],
  },
  { what: 'a notice is gone', of: 'confirmed', schema: 'notification', sql: 'DELETE FROM notification WHERE order_id = $1', finds: ['not told'] },
  {
    what: 'a buyer was told twice',
    of: 'cancelled',
    schema: 'notification',
    sql: `INSERT INTO notification (notification_id, event_id, kind, category, order_id, subject, body, state)
          VALUES ('again-' || $1, 'again-' || $1, 'ORDER_CANCELLED', 'ORDER', $1, 'again', 'again', 'PARKED')`,
    finds: ['told more than once'],
  },
  {
    what: 'an order is gone',
    of: 'confirmed',
    schema: 'order',
    sql: 'WITH changes AS (DELETE FROM order_change WHERE order_id = $1) DELETE FROM orders WHERE order_id = $1',
    finds: ['unknown order'],
  },
];
