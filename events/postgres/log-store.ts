import type { JsonObject } from '@bufbuild/protobuf';

import type { Queryable, Statement } from '#database';

import type { Lag, StoredEvent } from '../bus.ts';
import { type Event, topicOf } from '../event.ts';
import { columnsOf } from '../event-columns.ts';

/** A bucket as one member has it. */
export interface HeldBucket {
  readonly topic: string;
  readonly bucket: number;
  /** Proof that the member has it; writes under an older one change nothing. */
  readonly fence: bigint;
}

export interface FetchedEvent extends HeldBucket {
  readonly position: bigint;
  readonly event: Event;
}

/** Who consumes. */
export interface Member {
  readonly group: string;
  /** Unique to the subscription. */
  readonly member: string;
  readonly topics: readonly string[];
}

// The schema is named: `fetch` and `commit` are SQL's own words elsewhere.
const PUBLISH: Statement = {
  name: 'event_log.publish',
  text: 'SELECT event_log.publish($1, $2, $3, $4, $5, $6, $7, $8)',
};

const FETCH: Statement = {
  name: 'event_log.fetch',
  text: 'SELECT topic, bucket, fence, position, id, source, type, subject, time, data, traceparent FROM event_log.fetch($1, $2, $3, $4, $5, $6, $7)',
};

const COMMIT: Statement = {
  name: 'event_log.commit',
  text: 'SELECT topic, bucket FROM event_log.commit($1, $2, $3, $4, $5, $6)',
};

const LEAVE: Statement = { name: 'event_log.leave', text: 'SELECT event_log.leave($1, $2)' };

// A group that is far behind is not counted to the end: 32,000 of a topic are enough to know, and
// take 60 ms.
const LAG: Statement = {
  name: 'event_log.lag',
  text: `SELECT name AS topic, sum(behind.events)::int AS events
         FROM unnest($2::text[]) AS name CROSS JOIN generate_series(0, 15) AS bucket
         LEFT JOIN event_log.group_bucket AS held ON held.for_group = $1 AND held.topic = name AND held.bucket = bucket.bucket
         CROSS JOIN LATERAL (
           SELECT count(*) AS events FROM (
             SELECT FROM event_log.event WHERE event.topic = name AND event.bucket = bucket.bucket AND event.position > coalesce(held.position, 0)
             LIMIT 2000) AS counted) AS behind
         GROUP BY name`,
};

const READ: Statement = {
  name: 'event_log.read',
  text: `SELECT found.* FROM generate_series(0, 15) AS bucket
         CROSS JOIN LATERAL (
           SELECT position, id, source, type, subject, time, data, traceparent FROM event_log.event
           WHERE event.topic = $1 AND event.bucket = bucket.bucket AND event.position > $2
           ORDER BY position LIMIT $3) AS found
         ORDER BY found.position LIMIT $3`,
};

const READ_LAST: Statement = {
  name: 'event_log.read_last',
  text: `SELECT found.* FROM generate_series(0, 15) AS bucket
         CROSS JOIN LATERAL (
           SELECT position, id, source, type, subject, time, data, traceparent FROM event_log.event
           WHERE event.topic = $1 AND event.bucket = bucket.bucket
           ORDER BY position DESC LIMIT $2) AS found
         ORDER BY found.position DESC LIMIT $2`,
};

const SWEEP: Statement = { name: 'event_log.sweep', text: 'SELECT swept, missed FROM event_log.sweep($1, $2)' };

interface EventRow {
  readonly position: bigint;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: Date;
  readonly data: JsonObject;
  readonly traceparent: string | null;
}

/** Appends events by one statement, as one transaction. */
export async function publishEvents(db: Queryable, events: readonly Event[]): Promise<void> {
  await db.query(PUBLISH, [events.map(({ type }) => topicOf(type)), ...columnsOf(events)]);
}

/** Keeps the member's lease and returns what waits for it in the buckets that are not busy. */
export async function fetchEvents(db: Queryable, { group, member, topics }: Member, limit: number, leaseMs: number, busy: readonly HeldBucket[]): Promise<FetchedEvent[]> {
  const values = [group, member, topics, limit, leaseMs, busy.map(({ topic }) => topic), busy.map(({ bucket }) => bucket)];
  const rows = await db.query<EventRow & HeldBucket>(FETCH, values);
  return rows.map((row) => ({ topic: row.topic, bucket: row.bucket, fence: row.fence, position: row.position, event: eventOf(row) }));
}

/** Writes how far the member has got; returns the buckets that are still its own. */
export function commitPositions(db: Queryable, { group, member }: Member, done: readonly (HeldBucket & { readonly position: bigint })[]): Promise<Pick<HeldBucket, 'topic' | 'bucket'>[]> {
  const values = [done.map(({ topic }) => topic), done.map(({ bucket }) => bucket), done.map(({ fence }) => fence), done.map(({ position }) => position)];
  return db.query(COMMIT, [group, member, ...values]);
}

export async function leaveGroup(db: Queryable, { group, member }: Member): Promise<void> {
  await db.query(LEAVE, [group, member]);
}

export async function readLag(db: Queryable, group: string, topics: readonly string[]): Promise<Lag[]> {
  return db.query<Lag>(LAG, [group, topics]);
}

export async function readEvents(db: Queryable, topic: string, after: bigint, limit: number): Promise<StoredEvent[]> {
  const rows = await db.query<EventRow>(READ, [topic, after, limit]);
  return rows.map(storedOf);
}

export async function readLastEvents(db: Queryable, topic: string, limit: number): Promise<StoredEvent[]> {
  const rows = await db.query<EventRow>(READ_LAST, [topic, limit]);
  return rows.map(storedOf).reverse();
}

/** Removes events older than `retentionMs`, at most `limit` of each bucket; `missed` of them were not taken by some group. */
export async function sweepEvents(db: Queryable, retentionMs: number, limit: number): Promise<{ swept: number; missed: number }> {
  const [row] = await db.query<{ swept: number; missed: number }>(SWEEP, [retentionMs, limit]);
  return row ?? { swept: 0, missed: 0 };
}

function storedOf(row: EventRow): StoredEvent {
  return { event: eventOf(row), position: String(row.position) };
}

function eventOf({ id, source, type, subject, time, data, traceparent }: EventRow): Event {
  return { id, source, type, subject, time, data, traceparent: traceparent ?? undefined };
}
