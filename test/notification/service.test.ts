import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import type { Event } from '#events';
import { type Notification, NotificationCategory, NotificationKind, NotificationState } from '#proto/shop/notification/v1/notification_pb.js';
import { PaymentCompletedSchema } from '#proto/shop/payment/v1/payment_events_pb.js';
import { ShipmentHandedOverSchema } from '#proto/shop/shipping/v1/shipping_events_pb.js';

import { expectRefusal } from '../database/expect-refusal.ts';
import { until } from '../database/until.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { EUR_25, eventOf, placed } from './notification-fixture.ts';
import { NOBODY, type NotificationShop, startNotificationShop } from './service-fixture.ts';

const ORDERS = 15;

describe('the notification service', () => {
  let shop: NotificationShop;
  let userId: string;
  before(async function () {
    this.timeout(20_000);
    shop = await startNotificationShop({ instances: 2 });
  });
  beforeEach(() => {
    userId = randomUUID();
  });
  after(() => shop?.stop());

  const listed = async (): Promise<Notification[]> => (await shop.client.listNotifications({ userId, pageSize: 200 })).notifications;
  const whenSent = (count: number): Promise<void> =>
    until(`${count} are sent`, async () => (await listed()).filter(({ state }) => state === NotificationState.SENT).length === count);
  const paid = (orderId: string): Event => eventOf(PaymentCompletedSchema, orderId, { orderId, amount: EUR_25 });
  const handedOver = (orderId: string): Event => eventOf(ShipmentHandedOverSchema, orderId, { orderId, trackingNumber: 'SIM-1' });

  it('tells a user of what the bus brings, by mail', async () => {
    const orderId = randomUUID();
    await shop.publish(placed(orderId, userId), paid(orderId), handedOver(orderId));
    await whenSent(3);
    const notifications = await listed();
    expect(notifications.map(({ kind }) => kind)).to.have.members([NotificationKind.ORDER_PLACED, NotificationKind.PAYMENT_COMPLETED, NotificationKind.SHIPMENT_HANDED_OVER]);
    for (const { notificationId, sentTime, reason } of notifications) {
      expect(await shop.mails()).to.include(`${notificationId}.eml`);
      expect(sentTime).not.to.equal(undefined);
      expect(reason).to.equal('');
    }
  });

  it('tells it once, though every event comes three times, to two instances', async () => {
    const events = Array.from({ length: ORDERS }, () => randomUUID()).flatMap((orderId) => [paid(orderId), placed(orderId, userId), handedOver(orderId)]);
    const mails = (await shop.mails()).length;
    for (let times = 0; times < 3; times += 1) await shop.publish(...events);
    await whenSent(events.length);
    await until('every one of them is handled', async () => (await shop.behind()) === 0);
    expect(await listed()).to.have.length(events.length);
    expect((await shop.mails()).length).to.equal(mails + events.length);
  });

  it('lists them page by page, newest first', async () => {
    for (let times = 0; times < 3; times += 1) {
      await shop.publish(placed(randomUUID(), userId));
      await whenSent(times + 1);
    }
    const first = await shop.client.listNotifications({ userId, pageSize: 2 });
    const second = await shop.client.listNotifications({ userId, pageSize: 2, pageToken: first.nextPageToken });
    expect(second.nextPageToken).to.equal('');
    const ids = [...first.notifications, ...second.notifications].map(({ notificationId }) => notificationId);
    expect(ids).to.deep.equal(ids.toSorted().reverse()).and.have.length(3);
    await expectRefusal('INVALID_PAGE_TOKEN', shop.client.listNotifications({ userId, pageToken: 'none' }));
    expect((await shop.client.listNotifications({ userId: randomUUID() })).notifications).to.deep.equal([]);
  });

  it('streams them as they come and as they are sent', async () => {
    const caller = new AbortController();
    const seen: NotificationState[] = [];
    const stream = shop.client.watchNotifications({ userId }, { signal: caller.signal });
    await shop.publish(placed(randomUUID(), userId));
    for await (const { notification } of stream) {
      seen.push(notification?.state ?? NotificationState.UNSPECIFIED);
      if (seen.at(-1) === NotificationState.SENT) break;
    }
    caller.abort();
    // It may have been sent before the stream first looked.
    expect(seen.filter((state) => state !== NotificationState.PENDING)).to.deep.equal([NotificationState.SENT]);
  });

  describe('preferences', () => {
    const { ORDER, PAYMENT, SHIPPING } = NotificationCategory;
    const set = (muted: NotificationCategory[], who = userId) => shop.client.setPreferences({ userId: who, preferences: { muted } });

    it('are everything by mail, until something else is set', async () => {
      expect((await shop.client.getPreferences({ userId })).preferences?.muted).to.deep.equal([]);
      for (const muted of [[PAYMENT, ORDER], [PAYMENT, ORDER], [SHIPPING], []]) {
        expect((await set(muted)).preferences?.muted).to.deep.equal(muted.toSorted());
        expect((await shop.client.getPreferences({ userId })).preferences?.muted).to.deep.equal(muted.toSorted());
      }
    });

    it('are what was set last, whenever the calls before are sent again', async () => {
      const first = { userId, preferences: { muted: [PAYMENT] }, requestId: randomUUID() };
      const { preferences } = await shop.client.setPreferences(first);
      await set([ORDER]);
      expect((await shop.client.setPreferences(first)).preferences).to.deep.equal(preferences);
      expect((await shop.client.getPreferences({ userId })).preferences?.muted).to.deep.equal([ORDER]);
    });

    it('that were set are answered again also when the user is gone', async () => {
      const given = { userId, preferences: { muted: [PAYMENT] }, requestId: randomUUID() };
      const first = await shop.client.setPreferences(given);
      shop.remove(userId);
      expect(await shop.client.setPreferences(given)).to.deep.equal(first);
      await expectRefusal('USER_NOT_FOUND', set([PAYMENT]));
    });

    it('keep what is turned off out of the mail, and in the list', async () => {
      await set([PAYMENT]);
      const orderId = randomUUID();
      await shop.publish(placed(orderId, userId), paid(orderId));
      await whenSent(1);
      await until('both are there', async () => (await listed()).length === 2);
      const payment = (await listed()).find(({ kind }) => kind === NotificationKind.PAYMENT_COMPLETED);
      expect(payment?.state).to.equal(NotificationState.SUPPRESSED);
      expect(payment?.reason).to.equal('the user has turned these mails off');
      expect(await shop.mails()).not.to.include(`${payment?.notificationId}.eml`);
    });

    it('of somebody who is no user cannot be set', async () => {
      await expectRefusal('USER_NOT_FOUND', set([PAYMENT], NOBODY));
    });

    it('that are none are refused, naming what is wrong', async () => {
      // As a newer contract may have it.
      const unknown = 9 as NotificationCategory;
      for (const muted of [[NotificationCategory.UNSPECIFIED], [unknown], [PAYMENT, PAYMENT], [ORDER, PAYMENT, SHIPPING, ORDER]]) {
        const { violations } = await expectRefusal('INVALID_ARGUMENT', set(muted));
        expect(violations[0]?.field).to.match(/^preferences\.muted/);
      }
      await expectRefusal('INVALID_ARGUMENT', shop.client.setPreferences({ userId }));
    });
  });
});

describe('the notification service without a way to send mail', () => {
  it('says so once, and keeps what users are told', async function () {
    this.timeout(20_000);
    const { log, lines } = captureLog('warn');
    const shop = await startNotificationShop({ isMailed: false, log });
    const userId = randomUUID();
    await shop.publish(placed(randomUUID(), userId));
    const listed = async (): Promise<Notification[]> => (await shop.client.listNotifications({ userId })).notifications;
    await until('it is there', async () => (await listed()).length === 1);
    const [notification] = await listed();
    expect(notification).to.deep.include({ state: NotificationState.SUPPRESSED, reason: 'no channel: there is no way set to send mail' });
    expect(lines.map(({ msg }) => msg)).to.deep.equal(['neither SMTP_URL nor MESH_MAIL_DIR is set: notifications are kept and listed, and nothing is mailed']);
    await shop.stop();
  });
});
