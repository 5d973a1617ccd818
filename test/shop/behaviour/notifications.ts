import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { type Notification, NotificationCategory, NotificationKind as Kind, NotificationState } from '#proto/shop/notification/v1/notification_pb.js';
import { type Order, OrderState } from '#proto/shop/order/v1/order_pb.js';

import { newProduct, newUser, place, refusalOf, requestFor, until } from '../orders.ts';
import type { Shop } from '../shop-fixture.ts';
import { shipmentOf } from './shipments.ts';

/** Outbox, bus and inbox are on the way, each with a pause of its own, on a machine that is busy. */
const TOLD_WITHIN_MS = 15_000;

/** What buyers hear of their orders. */
export function describeNotifications(shopOf: () => Shop): void {
  describe('a buyer', () => {
    it('is told, once and by mail, what happens to an order on its way to the door', async () => {
      const shop = shopOf();
      const { userId, orderId } = await confirmedOrder(shop);
      const { shipmentId } = await shipmentOf(shop, orderId);
      await shop.shipping.handOverShipment({ shipmentId });
      const told = await whenTold(shop, userId, [Kind.ORDER_PLACED, Kind.PAYMENT_COMPLETED, Kind.SHIPMENT_SCHEDULED, Kind.ORDER_CONFIRMED, Kind.SHIPMENT_HANDED_OVER]);
      for (const notification of told) {
        expect(notification).to.deep.include({ userId, orderId, state: NotificationState.SENT, reason: '' });
        const mail = await readFile(join(shop.environment['MESH_MAIL_DIR'] ?? '', `${notification.notificationId}.eml`), 'utf8');
        expect(mail).to.contain('buyer@example.com').and.contain(`Order: ${orderId}`);
      }
    });

    it('is told that an order has failed, and why', async () => {
      const shop = shopOf();
      const userId = await newUser(shop);
      const order = await place(shop, requestFor(userId, await newProduct(shop, 10n), { paymentMethod: 'pm_card_chargeDeclined' }));
      expect(order.state).to.equal(OrderState.FAILED);
      const told = await whenTold(shop, userId, [Kind.ORDER_PLACED, Kind.PAYMENT_FAILED, Kind.ORDER_FAILED]);
      expect(told.find(({ kind }) => kind === Kind.ORDER_FAILED)?.body).to.contain('your card was declined');
    });

    it('is told that an order is cancelled, and gets money back', async () => {
      const shop = shopOf();
      const { userId, orderId } = await confirmedOrder(shop);
      await shop.orders.cancelOrder({ orderId });
      const kinds = [Kind.ORDER_PLACED, Kind.PAYMENT_COMPLETED, Kind.SHIPMENT_SCHEDULED, Kind.ORDER_CONFIRMED];
      const told = await whenTold(shop, userId, [...kinds, Kind.SHIPMENT_CANCELLED, Kind.PAYMENT_REFUNDED, Kind.ORDER_CANCELLED]);
      expect(told.find(({ kind }) => kind === Kind.PAYMENT_REFUNDED)?.body).to.contain('25.00 EUR');
    });

    it('can watch that as it happens', async () => {
      const shop = shopOf();
      const { userId } = await confirmedOrder(shop);
      const caller = new AbortController();
      const seen = new Set<Kind>();
      for await (const { notification } of shop.notifications.watchNotifications({ userId }, { signal: caller.signal })) {
        if (notification?.state === NotificationState.SENT) seen.add(notification.kind);
        if (seen.size === 4) break;
      }
      caller.abort();
      expect([...seen]).to.have.members([Kind.ORDER_PLACED, Kind.PAYMENT_COMPLETED, Kind.SHIPMENT_SCHEDULED, Kind.ORDER_CONFIRMED]);
    });

    it('gets no mail of what was turned off, and finds it in the list', async () => {
      const shop = shopOf();
      const userId = await newUser(shop);
      await shop.notifications.setPreferences({ userId, preferences: { muted: [NotificationCategory.PAYMENT, NotificationCategory.SHIPPING] } });
      await place(shop, requestFor(userId, await newProduct(shop, 10n)));
      const told = await whenTold(shop, userId, [Kind.ORDER_PLACED, Kind.PAYMENT_COMPLETED, Kind.SHIPMENT_SCHEDULED, Kind.ORDER_CONFIRMED]);
      const suppressed = told.filter(({ state }) => state === NotificationState.SUPPRESSED).map(({ kind }) => kind);
      expect(suppressed).to.have.members([Kind.PAYMENT_COMPLETED, Kind.SHIPMENT_SCHEDULED]);
    });

    it('who is none has no preferences to set', async () => {
      const error = await refusalOf(shopOf().notifications.setPreferences({ userId: 'nobody', preferences: {} }));
      expect(error).to.deep.include({ code: 'NOT_FOUND', reason: 'USER_NOT_FOUND' });
    });
  });
}

async function confirmedOrder(shop: Shop): Promise<Order> {
  const order = await place(shop, requestFor(await newUser(shop), await newProduct(shop, 10n)));
  expect(order.state).to.equal(OrderState.CONFIRMED);
  return order;
}

/** The user's notifications once these are there and none waits to be sent; fails when there are others, or one twice. */
async function whenTold(shop: Shop, userId: string, kinds: readonly Kind[]): Promise<Notification[]> {
  const told = await until(`${userId} has been told`, TOLD_WITHIN_MS, async () => {
    const { notifications } = await shop.notifications.listNotifications({ userId });
    const isDone = notifications.length >= kinds.length && notifications.every(({ state }) => state !== NotificationState.PENDING);
    return isDone ? notifications : undefined;
  });
  expect(told.map(({ kind }) => Kind[kind])).to.have.members(kinds.map((kind) => Kind[kind]));
  return told;
}
