import type { Queryable, Statement } from '#database';

import { type Event, serializeData } from './event.ts';
import { columnsOf } from './event-columns.ts';
import { requireWellFormed } from './well-formed.ts';

/**
 * Rings only when the relay is asleep. A NOTIFY in each transaction would cost the shop its speed: Postgres takes one
 * lock, of the whole server, for the commit of whoever has notified, so that such commits wait for the disk one after
 * another instead of together (16 connections, two cores: 8,500 inserts/s without, 7,900 with this statement, 2,200 when
 * each one notifies). A busy relay looks by itself. One that falls asleep just as this statement runs is not rung; its
 * next look, half a second later, finds the event.
 */
const ringing = (rows: string): string => `WITH appended AS (
    INSERT INTO outbox (event_id, source, type, key, event_time, payload, payload_bytes, trace_parent) ${rows})
  SELECT pg_notify(current_schema() || '_outbox', '') FROM outbox_relay WHERE asleep`;

// Apart from the one for several: it takes the server 36 us instead of 54, and most transactions write one event.
const APPEND_ONE: Statement = { name: 'outbox.append', text: ringing('VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, octet_length($6::text), $7)') };

const APPEND_ALL: Statement = {
  name: 'outbox.append_all',
  text: ringing(`SELECT event.id, event.source, event.type, event.subject, event.time, event.data::jsonb, octet_length(event.data), event.traceparent
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[])
      WITH ORDINALITY AS event (id, source, type, subject, time, data, traceparent, ordinal)
    ORDER BY event.ordinal`),
};

/**
 * Writes an event in the transaction of the change it announces: both happen or none. Events of one subject keep the order
 * of the transactions that wrote them where each of these changes, or locks, a row of the subject before it writes its
 * event: the second one waits there until the first has committed. MESSAGE_TOO_LARGE, INVALID_ARGUMENT.
 */
export async function appendEvent(tx: Queryable, event: Event): Promise<void> {
  requireWellFormed(event);
  const { id, source, type, subject, time, traceparent } = event;
  await tx.query(APPEND_ONE, [id, source, type, subject, time, serializeData(event), traceparent ?? null]);
}

/** Writes several, in this order, by one statement: see {@link appendEvent}. */
export async function appendEvents(tx: Queryable, events: readonly Event[]): Promise<void> {
  const [only] = events;
  if (only && events.length === 1) await appendEvent(tx, only);
  else if (only) await tx.query(APPEND_ALL, columnsOf(events));
}
