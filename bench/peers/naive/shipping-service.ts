import { randomUUID } from 'node:crypto';

import { inTransaction, type Pool } from './database.ts';
import { appendEvent } from './outbox.ts';
import type { Handlers } from './rpc.ts';

interface ScheduleRequest {
  readonly order_id: string;
  readonly address: object;
  readonly lines: readonly object[];
}

interface ShipmentRow {
  readonly shipment_id: string;
  readonly state: string;
  readonly tracking_number: string | null;
}

export function shippingHandlers(pool: Pool): Handlers {
  async function findShipment(orderId: string): Promise<ShipmentRow | undefined> {
    const { rows } = await pool.query<ShipmentRow>('SELECT shipment_id, state, tracking_number FROM shipment WHERE order_id = $1', [orderId]);
    return rows[0];
  }

  /** The carrier's own book, as durable as ours has it: a commit of its own. */
  async function book(bookingKey: string, orderId: string): Promise<string> {
    const text = 'INSERT INTO carrier_booking (booking_key, order_id, tracking_number) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING';
    await pool.query(text, [bookingKey, orderId, `SIM${randomUUID().slice(0, 13).toUpperCase()}`]);
    const { rows } = await pool.query<{ tracking_number: string }>('SELECT tracking_number FROM carrier_booking WHERE booking_key = $1', [bookingKey]);
    return rows[0]?.tracking_number ?? '';
  }

  return {
    async ScheduleShipment({ order_id, address, lines }: ScheduleRequest) {
      await inTransaction(pool, async (tx) => {
        const text = "INSERT INTO shipment (shipment_id, order_id, state, address, lines) VALUES ($1, $2, 'BOOKING', $3, $4) ON CONFLICT (order_id) DO NOTHING";
        await tx.query(text, [randomUUID(), order_id, address, JSON.stringify(lines)]);
      });
      const opened = await findShipment(order_id);
      if (opened?.state === 'BOOKING') {
        const trackingNumber = await book(opened.shipment_id, order_id);
        await inTransaction(pool, async (tx) => {
          await tx.query("UPDATE shipment SET state = 'SCHEDULED', tracking_number = $2, updated_at = now() WHERE order_id = $1", [order_id, trackingNumber]);
          await appendEvent(tx, 'ShipmentScheduled', order_id, { trackingNumber });
        });
      }
      const shipment = await findShipment(order_id);
      return { shipment: { shipment_id: shipment?.shipment_id, order_id, state: 'SHIPMENT_STATE_SCHEDULED', tracking_number: shipment?.tracking_number ?? '' } };
    },
  };
}
