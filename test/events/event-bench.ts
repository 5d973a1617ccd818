import { trace } from '@opentelemetry/api';

import { type Database, type DatabaseOptions, migrate } from '#database';
import {
  appendEvents,
  type Consumer,
  type ConsumerOptions,
  createConsumer,
  createPostgresBus,
  createRelay,
  type DeadLetter,
  type Event,
  EVENT_LOG_SCHEMA,
  type EventBus,
  eventLogMigrations,
  eventsMigrations,
  inboxMigrations,
  listDeadLetters,
  newEvent,
  on,
  type PostgresBusOptions,
  type Relay,
  type RelayOptions,
} from '#events';
import { newId, silentLog, type Stoppable, systemClock, systemRandom } from '#kit';
import { OrderFailedSchema } from '#proto/shop/order/v1/order_events_pb.js';

import { emptyTables } from '../database/empty-tables.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase, runSql, type TestDatabase } from '../database/postgres-fixture.ts';

export const ORDERS = 'shop.order.v1';

/** An event that says which of its subject it is. */
export function numbered(subject: string, number: number): Event {
  const head = { id: newId(systemClock, systemRandom), source: 'shop', subject, time: new Date() };
  return newEvent(OrderFailedSchema, { orderId: subject, reason: String(number) }, head);
}

/** The numbers of events by their subjects, in the order given; of those that come again, the first time counts. */
export function firstNumbers(events: readonly Event[]): Record<string, number[]> {
  const seen = new Set<string>();
  const numbers: Record<string, number[]> = {};
  for (const { id, subject, data } of events) {
    if (seen.has(id)) continue;
    seen.add(id);
    (numbers[subject] ??= []).push(Number(data['reason']));
  }
  return numbers;
}

/** 1, 2 … count. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** An effect of an event, as the tests' handler writes it. */
export interface Effect {
  readonly group: string;
  readonly subject: string;
  readonly number: number;
}

/** Outbox, log, inbox and a table of effects in one database; times are short. */
export interface EventBench {
  readonly url: string;
  readonly database: Database;
  readonly bus: EventBus;
  open(options?: Partial<DatabaseOptions>): Database;
  busOf(options?: Partial<PostgresBusOptions>): EventBus;
  relayOf(options?: Partial<RelayOptions>): Relay;
  /** Writes an effect for each event, unless it is given other handlers. */
  consumerOf(options?: Partial<ConsumerOptions>): Consumer;
  append(events: readonly Event[], database?: Database): Promise<void>;
  /** All that the log holds of {@link ORDERS}. */
  published(): Promise<Event[]>;
  /** In the order in which they were committed, within a subject. */
  effects(): Promise<Effect[]>;
  /** Newest first. */
  letters(): Promise<DeadLetter[]>;
  count(table: string): Promise<number>;
  /** Stops what was made, and forgets all events. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

const EFFECT = { name: 'test.effect', text: 'INSERT INTO effect (for_group, subject, number) VALUES ($1, $2, $3)' };
const EFFECTS = { name: 'test.effects', text: 'SELECT for_group AS "group", subject, number FROM effect ORDER BY position' };
const TABLES = ['outbox', 'inbox', 'dead_letter', 'effect', 'event_log.event', 'event_log.group_bucket', 'event_log.group_member'];
const WAKE = { name: 'test.wake', text: `UPDATE outbox_relay SET holder = '', lease_until = '-infinity', asleep = false` };

export async function startEventBench(place?: TestDatabase): Promise<EventBench> {
  const test = place ?? (await createTestDatabase());
  await migrate({ url: test.url, schema: 'shop', components: [eventsMigrations, inboxMigrations], log: silentLog });
  await migrate({ url: test.url, schema: EVENT_LOG_SCHEMA, components: [eventLogMigrations], log: silentLog });
  await runSql(test.url, 'CREATE TABLE shop.effect (position bigint GENERATED ALWAYS AS IDENTITY, for_group text, subject text, number int)');
  const made: Stoppable[] = [];
  const keep = <T extends Stoppable>(thing: T): T => {
    made.unshift(thing);
    return thing;
  };
  const open = (options: Partial<DatabaseOptions> = {}): Database => openTestDatabase({ url: test.url, maxConnections: 8, ...options });
  const database = open();
  const logDatabase = open({ schema: EVENT_LOG_SCHEMA });
  const common = { clock: systemClock, random: systemRandom, log: silentLog };
  const busOf = (options: Partial<PostgresBusOptions> = {}): EventBus =>
    keep(createPostgresBus({ ...common, database: logDatabase, leaseMs: 600, pollMs: 50, ...options }));
  const bus = createPostgresBus({ ...common, database: logDatabase, leaseMs: 600, pollMs: 50 });

  return {
    url: test.url,
    database,
    bus,
    open: (options) => keep(open(options)),
    busOf,
    relayOf: (options = {}) => keep(createRelay({ ...common, database, bus, leaseMs: 300, pollMs: 50, lingerMs: 2, wakefulMs: 20, ...options })),
    consumerOf(options = {}) {
      const { group = 'effects' } = options;
      const handlers = [on(OrderFailedSchema, async (tx, { orderId, reason }) => void (await tx.query(EFFECT, [group, orderId, Number(reason)])))];
      const tracer = trace.getTracer('test');
      return keep(createConsumer({ ...common, group, database, bus, handlers, tracer, firstPauseMs: 2, longestPauseMs: 20, replayPollMs: 20, ...options }));
    },
    append: (events, own = database) => own.transaction('test.append', (tx) => appendEvents(tx, events)),
    async published() {
      const events: Event[] = [];
      for (let after = ''; ; ) {
        const page = await bus.read(ORDERS, after, 500);
        events.push(...page.map(({ event }) => event));
        if (page.length < 500) return events;
        after = page.at(-1)?.position ?? '';
      }
    },
    effects: () => database.query<Effect>(EFFECTS, []),
    letters: () => listDeadLetters(database, {}, { size: 50, after: undefined }),
    async count(table) {
      const [row] = await database.query<{ rows: number }>({ name: `test.count.${table}`, text: `SELECT count(*)::int AS rows FROM ${table}` }, []);
      return row?.rows ?? 0;
    },
    async clear() {
      for (const thing of made.splice(0)) await thing.stop();
      await emptyTables(database, ...TABLES);
      await database.query(WAKE, []);
    },
    async stop() {
      for (const thing of made.splice(0)) await thing.stop();
      await bus.stop();
      await logDatabase.stop();
      await database.stop();
      await test.drop();
    },
  };
}
