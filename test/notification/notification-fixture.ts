import { randomUUID } from 'node:crypto';

import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { type Database, migrate } from '#database';
import { type Event, newEvent } from '#events';
import { silentLog, systemClock, systemRandom } from '#kit';
import { OrderConfirmedSchema, OrderPlacedSchema } from '#proto/shop/order/v1/order_events_pb.js';
import { PaymentCompletedSchema } from '#proto/shop/payment/v1/payment_events_pb.js';
import { ShipmentScheduledSchema } from '#proto/shop/shipping/v1/shipping_events_pb.js';

import type { MailChannel } from '../../services/notification/channel/mail-channel.ts';
import type { Recipient } from '../../services/notification/directory.ts';
import type { Notification } from '../../services/notification/domain.ts';
import { notificationEvents } from '../../services/notification/events.ts';
import { createMailer, type Mailer, type MailerOptions } from '../../services/notification/mailer.ts';
import { service } from '../../services/notification/service.ts';
import { listNotifications } from '../../services/notification/store.ts';
import { emptyTables } from '../database/empty-tables.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase } from '../database/postgres-fixture.ts';

export interface Delivery {
  readonly isMailed?: boolean;
  /** Of the instance that handles them. */
  readonly database?: Database;
  /** Its transaction is open, and nothing is committed. Called again when Postgres broke it off. */
  readonly beforeCommit?: () => Promise<void> | void;
}

/** Notifications on real tables, without a bus: the test delivers the events. */
export interface NotificationFixture {
  readonly database: Database;
  /** A further instance's connections. */
  open(): Database;
  /** Handles an event as a consumer does, in one transaction. */
  deliver(event: Event, options?: Delivery): Promise<void>;
  /** Handles events that come together, in one transaction. */
  deliverAll(events: readonly Event[], options?: Delivery): Promise<void>;
  /** Newest first. */
  notificationsOf(userId: string): Promise<Notification[]>;
  /** A user with a new order and the one notification of it. */
  newNotification(): Promise<Notification>;
  /** What the user service says, by user; everybody else has an address. */
  readonly recipients: Map<string, Recipient | undefined | Error>;
  /** An instance that sends, with short pauses; it is stopped after the test. */
  startMailer(channel: MailChannel, options?: Partial<MailerOptions>): Mailer;
  /** What waits to be tried again is due now. */
  hurry(): Promise<void>;
  /** Ends what a test has started and forgets its notifications. */
  reset(): Promise<void>;
  remove(): Promise<void>;
}

const HURRY = { name: 'test.hurry', text: `UPDATE notification SET due_time = now() WHERE state = 'PENDING' AND attempt > 0` };

export async function startNotificationFixture(): Promise<NotificationFixture> {
  const place = await createTestDatabase();
  await migrate({ url: place.url, schema: 'notification', components: service.migrations, log: silentLog });
  const opened: Database[] = [];
  const mailers: Mailer[] = [];
  const recipients = new Map<string, Recipient | undefined | Error>();
  const open = (): Database => {
    const database = openTestDatabase({ url: place.url, schema: 'notification', maxConnections: 10 });
    opened.push(database);
    return database;
  };
  const database = open();
  const directory = {
    async recipientOf(userId: string): Promise<Recipient | undefined> {
      const found = recipients.has(userId) ? recipients.get(userId) : { name: 'Buyer', address: `${userId}@example.com` };
      if (found instanceof Error) throw found;
      return found;
    },
  };

  async function deliverAll(events: readonly Event[], { isMailed = true, database: own = database, beforeCommit }: Delivery = {}): Promise<void> {
    const handlers = new Map(notificationEvents({ isMailed, clock: systemClock, random: systemRandom }).map((handler) => [handler.type, handler]));
    const effects = events.map((event) => {
      const handler = handlers.get(event.type);
      if (!handler) throw new Error(`nobody handles ${event.type}`);
      return handler.read(event);
    });
    const [first] = effects;
    if (!first) return;
    expect(new Set(effects.map(({ write }) => write)).size, 'writers').to.equal(1);
    await own.transaction('test.deliver', async (tx) => {
      await first.write(tx, effects.map(({ effect }) => effect));
      await beforeCommit?.();
    });
  }
  const deliver: NotificationFixture['deliver'] = (event, options) => deliverAll([event], options);
  const notificationsOf = (userId: string): Promise<Notification[]> => listNotifications(database, userId, { size: 200, after: undefined });

  return {
    ...{ database, open, deliver, deliverAll, notificationsOf, recipients },
    async newNotification() {
      const userId = randomUUID();
      await deliver(placed(randomUUID(), userId));
      const [notification] = await notificationsOf(userId);
      if (!notification) throw new Error('there is no notification');
      return notification;
    },
    startMailer(channel, options = {}) {
      const tools = { database, channel, directory, clock: systemClock, random: systemRandom, log: silentLog, tracer: trace.getTracer('test') };
      const mailer = createMailer({ ...tools, ratePerSecond: 1_000, pollMs: 20, graceMs: 5_000, ...options });
      mailers.push(mailer);
      mailer.start();
      return mailer;
    },
    hurry: async () => void (await database.query(HURRY, [])),
    async reset() {
      await Promise.all(mailers.splice(0).map((mailer) => mailer.stop()));
      recipients.clear();
      await emptyTables(database, 'notification', 'recipient', 'order_owner');
    },
    async remove() {
      await Promise.all(opened.map((each) => each.stop()));
      await place.drop();
    },
  };
}

/** An event of an order. */
export function eventOf<M extends DescMessage>(contract: M, orderId: string, message: MessageInitShape<M>): Event {
  return newEvent(contract, message, { id: randomUUID(), source: 'test', subject: orderId, time: new Date() });
}

export const EUR_25 = { currencyCode: 'EUR', units: 25n, nanos: 0 };

export function placed(orderId: string, userId: string): Event {
  return eventOf(OrderPlacedSchema, orderId, { orderId, userId, total: EUR_25 });
}

export function paid(orderId: string): Event {
  return eventOf(PaymentCompletedSchema, orderId, { orderId, amount: EUR_25 });
}

export function booked(orderId: string): Event {
  return eventOf(ShipmentScheduledSchema, orderId, { orderId, trackingNumber: 'SIM-1' });
}

export function confirmed(orderId: string, userId: string): Event {
  return eventOf(OrderConfirmedSchema, orderId, { orderId, userId, total: EUR_25, trackingNumber: 'SIM-1' });
}
