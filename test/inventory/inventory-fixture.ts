import { randomUUID } from 'node:crypto';

import { trace } from '@opentelemetry/api';

import { createIdempotencyStore, type Database, type DatabaseHooks, migrate } from '#database';
import { createPostgresBus } from '#events';
import { type Clock, type Log, silentLog, systemClock, systemRandom } from '#kit';
import type { Client, Handlers } from '#mesh';
import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';

import { service } from '../../services/inventory/service.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase, runSql } from '../database/postgres-fixture.ts';
import { until } from '../database/until.ts';
import { createFleet } from '../mesh/support/fleet.ts';

/** Instances of the inventory service on one real database; they look for what has run out when the test says so. */
export interface Inventory {
  /** The first instance. */
  readonly client: Client<typeof InventoryService>;
  /** Every instance. */
  readonly clients: readonly Client<typeof InventoryService>[];
  readonly database: Database;
  /** Wakes every instance and does not wait for any. */
  wake(): void;
  /** Resolves when every instance has looked and sleeps again. */
  asleep(): Promise<void>;
  /** A new product with this much stock. */
  newProduct(available: bigint): Promise<string>;
  /** Resolves when every open reservation is due. */
  due(): Promise<void>;
  stop(): Promise<void>;
}

export interface InventoryOptions {
  readonly instances: number;
  readonly ttlMs: number;
  readonly log?: Log;
  /** What an instance is given for its database. */
  readonly wrap?: (database: Database) => Database;
  readonly hooks?: DatabaseHooks;
  /** After how long a statement that waits looks for a circle; 1 s is most of the time that a call has. */
  readonly deadlockTimeoutMs?: number;
}

export async function startInventory({ instances, ttlMs, log = silentLog, wrap = (database) => database, hooks = {}, deadlockTimeoutMs = 1_000 }: InventoryOptions): Promise<Inventory> {
  const place = await createTestDatabase();
  await runSql(place.url, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ${deadlockTimeoutMs}', current_database()); END $$`);
  await migrate({ url: place.url, schema: 'inventory', components: service.migrations, log: silentLog });
  const open = (given: DatabaseHooks) => openTestDatabase({ url: place.url, schema: 'inventory', maxConnections: 10, hooks: given });
  const database = open({});
  const databases = [database, ...Array.from({ length: instances }, () => open(hooks))];
  // It consumes nothing, so nothing of the bus is opened.
  const bus = createPostgresBus({ database, clock: systemClock, random: systemRandom, log });
  const clocks = Array.from({ length: instances }, createAlarmClock);
  const built = clocks.map((clock, index) =>
    service.build({
      clients: {},
      database: wrap(databases[index + 1] ?? database),
      settings: { MESH_RESERVATION_TTL: ttlMs },
      ...{ bus, clock, log, random: systemRandom, tracer: trace.getTracer('test'), sagaHooks: {}, eventHooks: {} },
    }),
  );
  const fleets = built.map(() => createFleet('local'));
  const idempotency = createIdempotencyStore(database);
  for (const [index, fleet] of fleets.entries()) {
    // A service module's type forgets which contract it is.
    await fleet.host(InventoryService, () => built[index]?.handlers as Handlers<typeof InventoryService>, { idempotency });
  }
  const [client, ...others] = fleets.map((fleet) => fleet.client(InventoryService));
  if (!client) throw new Error('a test of the inventory needs an instance');
  const notDue = { name: 'test.not_due', text: `SELECT FROM reservation WHERE state = 'RESERVED' AND expire_time > now()` };
  for (const { start } of built) start?.();
  return {
    client,
    clients: [client, ...others],
    database,
    wake: () => clocks.forEach((clock) => clock.wake()),
    asleep: () => until('every instance sleeps', () => clocks.every((clock) => clock.isAsleep())),
    async newProduct(available) {
      const productId = randomUUID();
      await client.setStock({ productId, available });
      return productId;
    },
    due: () => until('every reservation is due', async () => (await database.query(notDue, [])).length === 0),
    async stop() {
      await Promise.all(built.map(({ stop }) => stop?.()));
      await Promise.all(fleets.map((fleet) => fleet.stop()));
      await Promise.all(databases.map((opened) => opened.stop()));
      await place.drop();
    },
  };
}

interface AlarmClock extends Clock {
  isAsleep(): boolean;
  wake(): void;
}

/** A clock whose sleeper sleeps until it is woken. */
function createAlarmClock(): AlarmClock {
  let wake: (() => void) | undefined;
  return {
    now: systemClock.now,
    isAsleep: () => wake !== undefined,
    wake() {
      wake?.();
      wake = undefined;
    },
    sleep(_ms, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      wake = resolve;
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      if (signal?.aborted) reject(signal.reason);
      return promise;
    },
  };
}
