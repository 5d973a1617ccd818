import { type Admin, type BaseOptions, Consumer } from '@platformatic/kafka';

import { type Clock, refusal } from '#kit';

import type { StoredEvent } from '../bus.ts';
import type { Event } from '../event.ts';
import { closeClient } from './connection.ts';
import { toEvent } from './event-record.ts';
import { byLeader, fetchRecords } from './fetch-records.ts';
import { type FetchedRecord, unpack } from './fetched-records.ts';
import { type PartitionRange, partitionRanges } from './offsets.ts';
import { formatPosition, parsePosition } from './position.ts';

export interface ReadTopicOptions {
  readonly client: BaseOptions;
  readonly admin: Admin;
  /** One that exists. */
  readonly topic: string;
  readonly after: string;
  readonly limit: number;
  readonly clock: Clock;
}

/** A partition as far as it has been read. */
interface Cursor {
  readonly topic: string;
  readonly index: number;
  readonly end: bigint;
  /** The first offset that is not fetched yet. */
  offset: bigint;
  /** What is fetched and not given out, the first last. */
  readonly ready: { readonly offset: bigint; readonly event: Event }[];
}

const MAX_EVENTS = 1_000;
const WITHIN_MS = 20_000;
const MAX_WAIT_MS = 100;
/** Nobody joins this group. The library's client that fetches must be told one. */
const NO_GROUP = 'none';

/** The events of a topic, those that happened first first, as far as there were any when it was asked. */
export async function readTopic({ after, limit, ...where }: ReadTopicOptions): Promise<StoredEvent[]> {
  const most = Math.min(limit, MAX_EVENTS);
  const starts = parsePosition(after);
  const events: StoredEvent[] = [];
  for await (const stored of walk(where, ({ index, oldest }) => starts[index] ?? oldest)) {
    if (events.length === most) break;
    events.push(stored);
  }
  return events;
}

/** The last events of a topic: all could be of one partition, so as many of each are read. */
export async function readTopicEnd({ limit, ...where }: Omit<ReadTopicOptions, 'after'>): Promise<StoredEvent[]> {
  const most = Math.min(limit, MAX_EVENTS);
  const events: StoredEvent[] = [];
  for await (const stored of walk(where, ({ end }) => end - BigInt(most))) {
    events.push(stored);
    if (events.length > most) events.shift();
  }
  return events;
}

type Where = Omit<ReadTopicOptions, 'after' | 'limit'>;
/** The offset at which to begin in a partition; before its oldest is at its oldest. */
type StartOf = (range: PartitionRange) => bigint;

async function* walk({ client, admin, topic, clock }: Where, startOf: StartOf): AsyncGenerator<StoredEvent, undefined> {
  const cursors = await openCursors(admin, topic, startOf);
  const consumer = new Consumer({ ...client, groupId: NO_GROUP });
  consumer.topics.track(topic);
  const giveUpAtMs = clock.now() + WITHIN_MS;
  try {
    for (;;) {
      while (await fetchMissing(consumer, cursors)) {
        if (clock.now() > giveUpAtMs) throw refusal('EVENT_BUS_UNAVAILABLE', 'Kafka answers slowly; ask for fewer events at a time');
      }
      const next = earliest(cursors)?.ready.pop();
      if (next === undefined) return undefined;
      yield { event: next.event, position: formatPosition(cursors.map(nextOffset)) };
    }
  } finally {
    await closeClient(consumer, clock);
  }
}

async function openCursors(admin: Admin, topic: string, startOf: StartOf): Promise<Cursor[]> {
  const ranges = await partitionRanges(admin, [topic]);
  return ranges.map((range) => {
    const { index, oldest, end } = range;
    const start = startOf(range);
    return { topic, index, end, offset: start > oldest ? start : oldest, ready: [] };
  });
}

/** Fetches for the partitions that have run dry before their end. False when there is none: then it is known which event comes next. */
async function fetchMissing(consumer: Consumer, cursors: readonly Cursor[]): Promise<boolean> {
  const dry = cursors.filter(({ ready, offset, end }) => ready.length === 0 && offset < end);
  for (const [leader, targets] of await byLeader(consumer, dry)) {
    for (const { target, batches } of await fetchRecords(consumer, leader, targets, MAX_WAIT_MS)) {
      const { records, next } = unpack(batches, target.offset);
      target.ready.push(...records.flatMap(readable).reverse());
      target.offset = next;
    }
  }
  return dry.length > 0;
}

/** A record that is no event is left out here; consumers say so in their log. */
function readable({ offset, record }: FetchedRecord): Cursor['ready'] {
  try {
    return [{ offset, event: toEvent(record) }];
  } catch {
    return [];
  }
}

function earliest(cursors: readonly Cursor[]): Cursor | undefined {
  const timeOf = ({ ready }: Cursor): number => ready.at(-1)?.event.time.getTime() ?? Number.POSITIVE_INFINITY;
  return cursors.filter(({ ready }) => ready.length > 0).sort((one, other) => timeOf(one) - timeOf(other))[0];
}

/** Where reading goes on. */
function nextOffset({ ready, offset }: Cursor): bigint {
  return ready.at(-1)?.offset ?? offset;
}
