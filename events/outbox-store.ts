import type { JsonObject } from '@bufbuild/protobuf';

import type { Queryable, Statement } from '#database';

import type { Event } from './event.ts';

/** An event that waits in the outbox. */
export interface Waiting {
  readonly position: bigint;
  readonly event: Event;
}

/** What waits to be published. */
export interface OutboxLag {
  /** At most 100,000: more are not counted. */
  readonly events: number;
  /** Age of the oldest in milliseconds; 0 when there is none. */
  readonly oldestMs: number;
  /** Those that the bus will never take. */
  readonly refused: number;
}

/** Bytes of data after which a batch is cut: 200 large events would be 180 MB. */
const BATCH_BYTES = 4 * 1024 * 1024;

// One round trip and one commit a batch: it removes the batch before and reads the next. What
// it removes its SELECT still sees, therefore the second condition. Never by "position > last":
// positions are given before transactions commit, so that a lower one may appear later.
const TAKE: Statement = {
  name: 'outbox.take',
  text: `WITH published AS (DELETE FROM outbox WHERE position = ANY($1::bigint[])),
         batch AS (
           SELECT position, event_id, source, type, key, coalesce(event_time, create_time) AS time, payload, coalesce(payload_bytes, pg_column_size(payload)) AS bytes, trace_parent
           FROM outbox WHERE refused IS NULL AND position <> ALL($1::bigint[]) ORDER BY position LIMIT $2),
         measured AS (SELECT *, sum(bytes) OVER (ORDER BY position) - bytes AS bytes_before FROM batch)
         SELECT position, event_id AS id, source, type, key AS subject, time, payload AS data, trace_parent AS traceparent
         FROM measured WHERE bytes_before < ${BATCH_BYTES} ORDER BY position`,
};

// Postgres' clock rules leases: those of the instances may differ.
const HOLD: Statement = {
  name: 'outbox.hold',
  text: `UPDATE outbox_relay SET holder = $1, lease_until = clock_timestamp() + $2 * interval '1 millisecond', asleep = false
         WHERE holder = $1 OR lease_until <= clock_timestamp() RETURNING true AS held`,
};

const SLEEP: Statement = {
  name: 'outbox.sleep',
  text: `UPDATE outbox_relay SET asleep = true WHERE NOT asleep AND (holder = $1 OR lease_until <= clock_timestamp())`,
};

const RELEASE: Statement = {
  name: 'outbox.release',
  text: `WITH released AS (UPDATE outbox_relay SET lease_until = clock_timestamp() WHERE holder = $1 AND lease_until > clock_timestamp() RETURNING 1)
         SELECT pg_notify(current_schema() || '_outbox', '') FROM released`,
};

const REFUSE: Statement = { name: 'outbox.refuse', text: `UPDATE outbox SET refused = $2 WHERE position = $1` };

const LAG: Statement = {
  name: 'outbox.lag',
  text: `SELECT (SELECT count(*)::int FROM (SELECT FROM outbox WHERE refused IS NULL LIMIT 100000) AS waiting) AS events,
           coalesce((SELECT extract(epoch FROM clock_timestamp() - create_time) * 1000 FROM outbox WHERE refused IS NULL ORDER BY position LIMIT 1), 0)::float8 AS "oldestMs",
           (SELECT count(*)::int FROM (SELECT FROM outbox WHERE refused IS NOT NULL LIMIT 100000) AS refused) AS refused`,
};

const CHANNEL: Statement = { name: 'outbox.channel', text: `SELECT current_schema() || '_outbox' AS channel` };

type Row = Omit<Event, 'traceparent'> & { readonly position: bigint; readonly traceparent: string | null; readonly data: JsonObject };

/** Removes what is published and reads what waits then, oldest first. */
export async function takeWaiting(db: Queryable, published: readonly bigint[], limit: number): Promise<Waiting[]> {
  const rows = await db.query<Row>(TAKE, [published, limit]);
  return rows.map(({ position, traceparent, ...event }) => ({ position, event: { ...event, traceparent: traceparent ?? undefined } }));
}

/** Takes the outbox, or keeps it, for `leaseMs`; false while another relay has it. */
export async function holdOutbox(db: Queryable, holder: string, leaseMs: number): Promise<boolean> {
  return (await db.query(HOLD, [holder, leaseMs])).length === 1;
}

/** From now on whoever writes an event rings. */
export async function sleepUntilRung(db: Queryable, holder: string): Promise<void> {
  await db.query(SLEEP, [holder]);
}

/** Lets another relay take the outbox at once. */
export async function releaseOutbox(db: Queryable, holder: string): Promise<void> {
  await db.query(RELEASE, [holder]);
}

/** Sets an event aside that the bus will never take. */
export async function refuseEvent(db: Queryable, position: bigint, reason: string): Promise<void> {
  await db.query(REFUSE, [position, reason]);
}

export async function readOutboxLag(db: Queryable): Promise<OutboxLag> {
  const [lag] = await db.query<OutboxLag>(LAG, []);
  return lag ?? { events: 0, oldestMs: 0, refused: 0 };
}

/** The channel on which this outbox rings. */
export async function outboxChannel(db: Queryable): Promise<string> {
  const [row] = await db.query<{ channel: string }>(CHANNEL, []);
  return row?.channel ?? '';
}
