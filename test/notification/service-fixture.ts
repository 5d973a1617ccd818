import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { trace } from '@opentelemetry/api';

import { createIdempotencyStore, type Database, migrate } from '#database';
import { createPostgresBus, type Event, EVENT_LOG_SCHEMA, type EventBus, eventLogMigrations } from '#events';
import { createLifecycle, type Log, refusal, silentLog, type SettingValues, systemClock, systemRandom } from '#kit';
import type { Client, Handlers } from '#mesh';
import { NotificationService } from '#proto/shop/notification/v1/notification_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { service } from '../../services/notification/service.ts';
import type { notificationSettings } from '../../services/notification/settings.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase } from '../database/postgres-fixture.ts';
import { createFleet } from '../mesh/support/fleet.ts';

/** Whole instances of the service on a real bus, called through its contract, with a user service in the test's hands. */
export interface NotificationShop {
  /** The first instance. */
  readonly client: Client<typeof NotificationService>;
  publish(...events: Event[]): Promise<void>;
  /** From now on they are no users any more. */
  remove(userId: string): void;
  /** Events that the service has not handled yet. */
  behind(): Promise<number>;
  /** The names of the mails in the mail folder. */
  mails(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface NotificationShopOptions {
  readonly instances?: number;
  /** Without it there is no way to send mail. */
  readonly isMailed?: boolean;
  readonly log?: Log;
}

const TOPICS = ['shop.order.v1', 'shop.payment.v1', 'shop.shipping.v1'];

/** Whoever is called so is no user. */
export const NOBODY = 'nobody';

export async function startNotificationShop({ instances = 1, isMailed = true, log = silentLog }: NotificationShopOptions = {}): Promise<NotificationShop> {
  const lifecycle = createLifecycle(silentLog);
  const place = await createTestDatabase();
  lifecycle.onStop('database', place.drop);
  const folder = await mkdtemp(join(tmpdir(), 'shopmesh-mail-'));
  lifecycle.onStop('folder', () => rm(folder, { recursive: true, force: true }));
  await migrate({ url: place.url, schema: 'notification', components: service.migrations, log: silentLog });
  await migrate({ url: place.url, schema: EVENT_LOG_SCHEMA, components: [eventLogMigrations], log: silentLog });
  const common = { clock: systemClock, random: systemRandom, log };
  const settings: SettingValues<typeof notificationSettings> = { SMTP_URL: '', MAIL_FROM: '', MESH_MAIL_DIR: isMailed ? folder : '', MESH_MAIL_RATE: 1_000 };
  const removed = new Set([NOBODY]);
  const fleet = createFleet('fidelity');
  lifecycle.onStop('fleet', fleet.stop);
  await fleet.host(UserService, () => ({
    async getUser({ userId }) {
      if (removed.has(userId)) throw refusal('USER_NOT_FOUND', `there is no user ${userId}`);
      return { user: { userId, displayName: 'Buyer', email: `${userId}@example.com` } };
    },
  }));

  function openBus(): EventBus {
    const database = openTestDatabase({ url: place.url, schema: EVENT_LOG_SCHEMA });
    const bus = createPostgresBus({ ...common, database, leaseMs: 600, pollMs: 50 });
    lifecycle.onStop('log', database.stop);
    lifecycle.onStop('bus', bus.stop);
    return bus;
  }
  function openTables(): Database {
    const database = openTestDatabase({ url: place.url, schema: 'notification', maxConnections: 8 });
    lifecycle.onStop('tables', database.stop);
    return database;
  }
  const built = Array.from({ length: instances }, () => {
    const given = { clients: { users: fleet.client(UserService) }, database: openTables(), bus: openBus(), settings, ...common, tracer: trace.getTracer('test'), sagaHooks: {}, eventHooks: {} };
    return service.build(given);
  });
  // A service module's type forgets which contract it is.
  await fleet.host(NotificationService, () => built[0]?.handlers as Handlers<typeof NotificationService>, { idempotency: createIdempotencyStore(openTables()) });
  for (const { start, stop } of built) {
    start?.();
    lifecycle.onStop('service', () => stop?.());
  }
  const outside = openBus();
  return {
    client: fleet.client(NotificationService),
    publish: (...events) => outside.publish(events),
    remove: (userId) => void removed.add(userId),
    behind: async () => (await outside.lag('notification', TOPICS)).reduce((sum, { events }) => sum + events, 0),
    mails: async () => (await readdir(folder)).filter((name) => name.endsWith('.eml')),
    stop: lifecycle.stop,
  };
}
