import type { Tracer } from '@opentelemetry/api';

import { createIdempotencyStore, type Database, type IdempotencyStore, idempotencyMigrations, startIdempotencySweep } from '#database';
import { createRelay, eventsMigrations } from '#events';
import { type Log, type Stoppable, systemClock, systemRandom } from '#kit';
import type { Mesh } from '#mesh';
import type { ModuleName } from '#modules';
import type { BuiltService, ServiceModule } from '#service-module';

import type { Resolved } from '../settings.ts';
import type { ProcessBus } from './event-bus.ts';
import type { ProcessHooks } from './process-hooks.ts';
import { openServiceDatabase } from './service-database.ts';
import type { Migrator } from './tables.ts';
import type { WayDown } from './way-down.ts';

/** What services of one process share. */
export interface Surroundings {
  readonly settings: Resolved;
  readonly hooks: ProcessHooks;
  readonly migrator: Migrator;
  readonly mesh: Mesh;
  readonly events: ProcessBus;
  readonly wayDown: WayDown;
}

/** A service that can be called once it listens. */
export interface ReadyService {
  readonly built: BuiltService<ServiceModule['contract']>;
  /** Undefined where it keeps no keys beside its own tables. */
  readonly idempotency: IdempotencyStore | undefined;
  /** Rejects while it cannot work. */
  readonly check: () => Promise<void>;
  /** Begins its background work. */
  readonly start: () => void;
}

interface Own {
  readonly tracer: Tracer;
  readonly log: Log;
}

/** The service on its database, with the stubs it asked for, and with what serves the tables that it has of others: outbox, keys. */
export async function buildService(name: ModuleName, module: ServiceModule, { tracer, log }: Own, shared: Surroundings): Promise<ReadyService> {
  const { settings, hooks, migrator, wayDown, mesh, events } = shared;
  const database = await openServiceDatabase(name, module, { settings, tracer, log, hooks: hooks.database ?? {}, migrator });
  wayDown.databases.onStop(`${name} database`, () => database.stop());
  await events.checked;
  const ours = { database, bus: events.bus, clock: systemClock, random: systemRandom, log, tracer };
  const relay = module.migrations.includes(eventsMigrations) ? createRelay({ ...ours, hooks: hooks.events ?? {} }) : undefined;
  wayDown.relays.onStop(`${name} relay`, () => relay?.stop());
  const clients = Object.fromEntries(Object.entries(module.dependencies).map(([key, contract]) => [key, mesh.client(contract, { tracer, service: name })]));
  const built = module.build({ ...ours, clients, settings: settings.values, sagaHooks: hooks.saga ?? {}, eventHooks: hooks.events ?? {} });
  wayDown.work.onStop(`${name} work`, () => built.stop?.());
  const keys = module.migrations.includes(idempotencyMigrations) ? keepKeys(database, log) : undefined;
  wayDown.work.onStop(`${name} keys`, () => keys?.stop());
  const start = (): void => {
    built.start?.();
    relay?.start();
    keys?.start();
  };
  return { built, idempotency: keys && (hooks.idempotency?.(keys.store) ?? keys.store), check: database.ping, start };
}

function keepKeys(database: Database, log: Log): Stoppable & { readonly store: IdempotencyStore; start(): void } {
  let sweep: Stoppable | undefined;
  return {
    store: createIdempotencyStore(database),
    start: () => void (sweep = startIdempotencySweep(database, { clock: systemClock, log })),
    stop: async () => sweep?.stop(),
  };
}
