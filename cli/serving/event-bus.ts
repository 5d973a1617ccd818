import { trace } from '@opentelemetry/api';

import { type Database, openDatabase } from '#database';
import { createPostgresBus, EVENT_LOG_SCHEMA, type EventBus, eventLogMigrations, eventsMigrations, inboxMigrations } from '#events';
import { type Clock, type Log, MeshError, refusal, systemClock, systemRandom } from '#kit';
import type { ServiceModule } from '#service-module';

import type { Resolved } from '../settings.ts';
import { type EventPlace, eventLogOwnerUrl, eventPlace } from './event-place.ts';
import { leavable, type LeavableBus } from './leavable-bus.ts';
import { migrateTables, type Migrator, requireTables, type Tables } from './tables.ts';

/** The bus that the services of one process share. */
export interface ProcessBus extends LeavableBus {
  /**
   * Rejects when the process must not start: SCHEMA_OUTDATED for a log of tables that it does not know, or may not bring up
   * to date. Resolves while the log is away, which is no reason not to start: events wait in the outboxes.
   */
  readonly checked: Promise<void>;
}

/** A relay publishes one batch at a time, a consumer has one statement under way; those of a monolith share these. */
const MAX_CONNECTIONS = 4;

/** Who a process is that has several services, or none. */
const SHOP = 'shopmesh';

/** A log that is there answers within milliseconds. */
const CHECK_MS = 1_000;

/**
 * Opens what these services publish to and consume from. INVALID_SETTING where nobody has said where that is, and one of them needs it.
 *
 * @param migrator how old tables of the log are brought up to date, where MESH_MIGRATE is on
 */
export async function openProcessBus(modules: readonly ServiceModule[], settings: Resolved, log: Log, migrator: Migrator = migrateTables): Promise<ProcessBus> {
  const users = modules.filter(usesEvents);
  if (users.length === 0) return { ...leavable(absentBus, systemClock), checked: Promise.resolve() };
  const place = eventPlace(settings.values);
  if (!place) throw refusal('INVALID_SETTING', `there is no place for the events of ${users.map(({ name }) => name).join(', ')}; ${PLACES}`);
  const [first, second] = users;
  const clientId = first && !second ? first.name : SHOP;
  const ownerUrl = eventLogOwnerUrl(settings.values);
  return openBus(place, { clientId, ...(settings.values.MESH_MIGRATE && { migrator }), ownerUrl, log });
}

/** What to say where no setting leads to the events. */
export const PLACES = 'set MESH_EVENTS_URL or DATABASE_URL to a Postgres, or KAFKA_BROKERS, or use `mesh up`, which brings a place';

export interface OpenBusOptions {
  /** Who this is to Kafka's brokers, in their logs and quotas. Default: `shopmesh`. */
  readonly clientId?: string;
  /** Brings old tables of the log up to date. Left out: they are refused. */
  readonly migrator?: Migrator;
  /** The log in Postgres as the role that owns its tables. Default: the role that works on them. */
  readonly ownerUrl?: string;
  readonly log: Log;
}

/** Opens nothing before the first call, but for the check of the tables. */
export async function openBus(place: EventPlace, { clientId = SHOP, migrator, ownerUrl, log }: OpenBusOptions): Promise<ProcessBus> {
  const common = { clock: systemClock, random: systemRandom, log };
  if (place.kind === 'kafka') {
    const { createKafkaBus } = await import('#events/kafka');
    const secured = { ...(place.isEncrypted && { tls: {} }), ...(place.login && { sasl: place.login }) };
    return { ...leavable(createKafkaBus({ brokers: place.brokers, clientId, ...secured, ...common }), systemClock), checked: Promise.resolve() };
  }
  const database = openEventLog(place.url, log);
  const check = (): Promise<void> => requireTables(database, eventLogTables(place.url, ownerUrl), migrator, log);
  const first = check();
  let isFirst = true;
  const prepare = (): Promise<void> => {
    const checking = isFirst ? first : check();
    isFirst = false;
    return checking;
  };
  const bus = createPostgresBus({ database, prepare, ...common });
  const checked = checkedWithin(CHECK_MS, first, systemClock);
  // It is asked for later, or not at all where a service cannot start for another reason.
  checked.catch(() => undefined);
  return { ...leavable({ ...bus, stop: () => bus.stop().finally(database.stop) }, systemClock), checked };
}

/** The event log's tables, in a schema of their own. Whoever uses it writes by its functions only. */
export function eventLogTables(url: string, ownerUrl = url): Tables {
  return { url, ownerUrl, schema: EVENT_LOG_SCHEMA, components: [eventLogMigrations], access: 'functions' };
}

function openEventLog(url: string, log: Log): Database {
  return openDatabase({
    url,
    schema: EVENT_LOG_SCHEMA,
    maxConnections: MAX_CONNECTIONS,
    applicationName: 'mesh events',
    // Relays and consumers have spans of their own, in the trace of whoever wrote the event.
    tracer: trace.getTracer('mesh events'),
    log,
  });
}

function usesEvents({ migrations }: ServiceModule): boolean {
  return migrations.includes(eventsMigrations) || migrations.includes(inboxMigrations);
}

/** What is not known by then, or cannot be while the log is away, the bus finds out at its first call. */
async function checkedWithin(ms: number, check: Promise<void>, clock: Clock): Promise<void> {
  const over = new AbortController();
  const result = check.catch((thrown: unknown) => {
    if (MeshError.from(thrown).code !== 'UNAVAILABLE') throw thrown;
  });
  await Promise.race([result, clock.sleep(ms, over.signal).catch(() => undefined)]);
  over.abort();
}

const absent = (): never => {
  throw refusal('INTERNAL', 'no service of this process has tables for events; add eventsMigrations or inboxMigrations to its migrations');
};

/** Of services that neither publish nor consume. */
const absentBus: EventBus = {
  publish: async () => absent(),
  subscribe: absent,
  lag: async () => absent(),
  read: async () => absent(),
  readLast: async () => absent(),
  stop: () => Promise.resolve(),
};
