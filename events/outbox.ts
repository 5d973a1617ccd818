import type { Queryable, Statement } from '#database';
import { currentTraceparent } from '#tracing';

/** Something that happened, told to whoever wants to know. */
export interface Event {
  /** UUIDv7; consumers dedupe by it. */
  readonly eventId: string;
  /** Full name, such as `shop.order.v1.OrderPlaced`. */
  readonly type: string;
  /** Events of one key keep their order: the order's id, say. */
  readonly key: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

const APPEND: Statement = {
  name: 'outbox.append',
  text: `INSERT INTO outbox (event_id, type, key, payload, trace_parent)
         VALUES ($1, $2, $3, $4, $5)`,
};

/** Writes an event in the transaction of the change it announces: both happen or none. */
export async function appendEvent(tx: Queryable, event: Event): Promise<void> {
  await tx.query(APPEND, [event.eventId, event.type, event.key, JSON.stringify(event.payload), currentTraceparent() ?? null]);
}
