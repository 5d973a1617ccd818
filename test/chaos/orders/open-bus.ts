import { trace } from '@opentelemetry/api';

import { openDatabase } from '#database';
import { createPostgresBus, EVENT_LOG_SCHEMA, type EventBus } from '#events';
import { silentLog, systemClock, systemRandom } from '#kit';

/** Where a shop has its events. */
export interface EventsOfShop {
  /** Of the log in Postgres; empty where Kafka has them. */
  readonly logUrl: string;
  /** As KAFKA_BROKERS has them; empty where the log in Postgres has the events. */
  readonly brokers: string;
}

/** A member that died is forgotten after so long. */
const FORGOTTEN_MS = 1_000;
/** A rebalance costs more than a wait, and a busy machine is silent for a second now and then. */
const FORGOTTEN_BY_KAFKA_MS = 2_000;

export function eventsOf(environment: Readonly<Record<string, string>>): EventsOfShop {
  return { logUrl: environment['MESH_EVENTS_URL'] ?? '', brokers: environment['KAFKA_BROKERS'] ?? '' };
}

/** The bus that a shop's services use, with times that are short enough for a test. */
export async function openBus({ logUrl, brokers }: EventsOfShop): Promise<EventBus> {
  const ours = { clock: systemClock, random: systemRandom, log: silentLog };
  if (brokers !== '') {
    const { createKafkaBus } = await import('#events/kafka');
    return createKafkaBus({ ...ours, brokers: brokers.split(','), clientId: 'test', sessionTimeoutMs: FORGOTTEN_BY_KAFKA_MS });
  }
  const database = openDatabase({ url: logUrl, schema: EVENT_LOG_SCHEMA, maxConnections: 2, applicationName: 'test', tracer: trace.getTracer('test'), log: silentLog });
  const bus = createPostgresBus({ ...ours, database, leaseMs: FORGOTTEN_MS });
  return { ...bus, stop: () => bus.stop().finally(database.stop) };
}
