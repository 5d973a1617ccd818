import { setTimeout as delay } from 'node:timers/promises';

import { ProxyTracerProvider } from '@opentelemetry/api';

import { type Database, migrate, openDatabase, type Statement } from '#database';
import { appendEvent, createConsumer, createPostgresBus, createRelay, EVENT_LOG_SCHEMA, type EventBus, eventLogMigrations, eventsMigrations, inboxMigrations, newEvent, onTogether } from '#events';
import { newId, silentLog, systemClock, systemRandom } from '#kit';
import { OrderPlacedSchema } from '#proto/shop/order/v1/order_events_pb.js';

import { answerParent } from '../rpc/parent.ts';

/** What the program is told. */
export interface EventFlowArgument {
  readonly databaseUrl: string;
  /** Empty: the log in Postgres. */
  readonly kafkaBrokers: string;
}

export interface FlowMeasured {
  readonly perSecond: number;
  /** How busy this process was; more than about 0.9 is all that it can be. */
  readonly cores: number;
}

/** Orders that write at once, each its events one after another. */
const WRITERS = 32;
const POLL_MS = 20;
const COMMITTED_WITHIN_MS = 5_000;

const { databaseUrl: url, kafkaBrokers }: EventFlowArgument = JSON.parse(process.argv[2] ?? '{}');
const common = { log: silentLog, clock: systemClock, random: systemRandom, tracer: new ProxyTracerProvider().getTracer('none') };

async function open(schema: string, components: Parameters<typeof migrate>[0]['components']): Promise<Database> {
  await migrate({ url, schema, components, log: silentLog, mayCreateDatabase: true });
  return openDatabase({ ...common, url, schema, maxConnections: 10, applicationName: `bench ${schema}` });
}

async function openBus(): Promise<EventBus> {
  if (kafkaBrokers === '') return createPostgresBus({ ...common, database: await open(EVENT_LOG_SCHEMA, [eventLogMigrations]) });
  const { createKafkaBus } = await import('../../events/kafka/index.ts');
  return createKafkaBus({ ...common, brokers: kafkaBrokers.split(','), clientId: 'bench' });
}

const producer = await open('producer', [eventsMigrations]);
const consumer = await open('consumer', [inboxMigrations]);
await consumer.query({ name: 'bench.effects', text: 'CREATE TABLE effect (event_id text NOT NULL)' }, []);
const bus = await openBus();

/** No key on it: an event that had its effect twice would be seen. */
const EFFECT: Statement = { name: 'bench.effect', text: 'INSERT INTO effect (event_id) SELECT unnest($1::text[])' };
const COUNT: Statement = { name: 'bench.count', text: 'SELECT count(*)::int AS effects, count(DISTINCT event_id)::int AS events FROM effect' };
/** A broker may have events of an earlier run; they are passed over. */
const run = newId(systemClock, systemRandom);
let handled = 0;

const handler = onTogether(
  OrderPlacedSchema,
  (_message, event) => event,
  async (tx, events) => {
    const ours = events.filter(({ subject }) => subject.startsWith(run));
    if (ours.length === 0) return;
    await tx.query(EFFECT, [ours.map(({ id }) => id)]);
    handled += ours.length;
  },
);
const consuming = createConsumer({ ...common, group: `bench-${run}`, database: consumer, bus, handlers: [handler] });
createRelay({ ...common, database: producer, bus }).start();
consuming.start();

let written = 0;

/** Writes one event in a transaction of its own, as a service does. */
async function writeOne(subject: string): Promise<void> {
  const head = { id: newId(systemClock, systemRandom), source: 'order', subject, time: new Date() };
  const event = newEvent(OrderPlacedSchema, { orderId: subject, userId: 'bench', total: { currencyCode: 'EUR', units: 12n, nanos: 500_000_000 } }, head);
  await producer.transaction('bench.write', (tx) => appendEvent(tx, event));
}

async function measure(events: number): Promise<FlowMeasured> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  const until = written + events;
  const lane = async (): Promise<void> => {
    while (written < until) {
      written += 1;
      await writeOne(`${run}-${written % 1_000}`);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, lane));
  while (handled < written) await delay(POLL_MS);
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  await checkEffects();
  return { perSecond: (events * 1_000) / ms, cores: (user + system) / 1_000 / ms };
}

/** The last ones may not be committed yet. An event whose effect happened twice would never be gone. */
async function checkEffects(): Promise<void> {
  for (const giveUpAt = performance.now() + COMMITTED_WITHIN_MS; ; await delay(POLL_MS)) {
    const [count] = await consumer.query<{ effects: number; events: number }>(COUNT, []);
    if (count?.effects === written && count.events === written) return;
    if (performance.now() > giveUpAt) throw new Error(`${written} events had ${count?.effects} effects: this is no measurement`);
  }
}

answerParent({}, { measure });
