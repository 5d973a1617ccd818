import type { Client } from '#mesh';
import { NotificationKind, type NotificationService } from '#proto/shop/notification/v1/notification_pb.js';
import { OrderState } from '#proto/shop/order/v1/order_pb.js';

import { until } from '../../shop/orders.ts';
import type { Shop } from '../../shop/shop-fixture.ts';
import type { Asked } from './traffic.ts';

const TOLD_WITHIN_MS = 50_000;
const PAGE_SIZE = 200;

/** What a buyer is to be told of an order in each state, besides that it was placed. */
const LAST_KIND: ReadonlyMap<OrderState, NotificationKind> = new Map([
  [OrderState.CONFIRMED, NotificationKind.ORDER_CONFIRMED],
  [OrderState.FAILED, NotificationKind.ORDER_FAILED],
  [OrderState.CANCELLED, NotificationKind.ORDER_CANCELLED],
]);

/** What is wrong with what the buyers of these orders were told: each thing once, and all of it. */
export async function wrongNotices({ orders, notifications }: Shop, asked: readonly Asked[]): Promise<string[]> {
  const due = new Map<string, NotificationKind>();
  for (const { orderId } of asked) {
    const { order } = await until(`order ${orderId} is read`, TOLD_WITHIN_MS, () => orders.getOrder({ orderId }));
    const kind = order && LAST_KIND.get(order.state);
    if (kind !== undefined) due.set(orderId, kind);
  }
  const told = async (): Promise<Map<string, number>> => countNotices(notifications, new Set(asked.map(({ userId }) => userId)));
  const counts = await until('the last notice is written', TOLD_WITHIN_MS, async () => {
    const found = await told();
    return [...due].every(([orderId, kind]) => found.has(`${orderId} ${NotificationKind[kind]}`)) ? found : undefined;
  }).catch(told);
  const missing = [...due].filter(([orderId, kind]) => !counts.has(`${orderId} ${NotificationKind[kind]}`)).map(([orderId, kind]) => `nobody was told that order ${orderId} is ${NotificationKind[kind]}`);
  const twice = [...counts].filter(([what, count]) => count > 1 && !MAY_REPEAT.test(what)).map(([what, count]) => `${count} notices of ${what}`);
  return [...missing, ...twice];
}

/** What may happen to one order more than once. */
const MAY_REPEAT = /ORDER_CANCELLATION_REFUSED$/;

/** How many notices there are, by order and kind. */
async function countNotices(notifications: Client<typeof NotificationService>, users: ReadonlySet<string>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const userId of users) {
    for (let pageToken = ''; ; ) {
      const page = await until('notices are listed', TOLD_WITHIN_MS, () => notifications.listNotifications({ userId, pageSize: PAGE_SIZE, pageToken }));
      for (const { orderId, kind } of page.notifications) {
        const what = `${orderId} ${NotificationKind[kind]}`;
        counts.set(what, (counts.get(what) ?? 0) + 1);
      }
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
  }
  return counts;
}
