import type { Database } from '#database';
import { type Clock, cutPage, type Random, readPage, refusal } from '#kit';
import type { Client, Handlers } from '#mesh';
import type { OrderService } from '#proto/shop/order/v1/order_pb.js';
import type { UserService } from '#proto/shop/user/v1/user_pb.js';
import type { SagaRunner } from '#saga';

import { changeToProto, newOrderFromProto, orderToProto } from './converters.ts';
import type { Order } from './domain.ts';
import { placeOrder } from './placing.ts';
import type { PlaceOrderState } from './saga.ts';
import { findOrder, listOrders } from './store.ts';
import type { OrderWatcher } from './watching.ts';

/** PlaceOrder answers this long before its deadline, so that the answer still arrives. */
const ANSWER_MARGIN_MS = 250;

interface Given {
  readonly database: Database;
  readonly users: Client<typeof UserService>;
  readonly sagas: SagaRunner<PlaceOrderState>;
  readonly watcher: OrderWatcher;
  readonly clock: Clock;
  readonly random: Random;
}

export function orderHandlers(given: Given): Handlers<typeof OrderService> {
  const { database, users, watcher, clock } = given;
  return {
    async placeOrder(request, { deadline, signal }) {
      const wanted = newOrderFromProto(request);
      await users.getUser({ userId: request.userId });
      const { orderId, saga } = await placeOrder(given, request, wanted);
      if (saga) await withinMs(saga.run(), deadline - clock.now() - ANSWER_MARGIN_MS, clock, signal);
      return { order: orderToProto(await orderOf(database, orderId)) };
    },

    async getOrder({ orderId }) {
      return { order: orderToProto(await orderOf(database, orderId)) };
    },

    async listOrders({ userId, pageSize, pageToken }) {
      const page = readPage(pageSize, pageToken);
      const { entries, nextPageToken } = cutPage(await listOrders(database, userId, page), page, (order) => order.orderId);
      return { orders: entries.map(orderToProto), nextPageToken };
    },

    async *watchOrder({ orderId, afterSequence }, { signal }) {
      for await (const change of watcher.watch(orderId, afterSequence, signal)) yield changeToProto(change);
    },
  };
}

async function orderOf(database: Database, orderId: string): Promise<Order> {
  const order = await findOrder(database, orderId);
  if (order) return order;
  throw refusal('ORDER_NOT_FOUND', `there is no order ${orderId}`, { metadata: { order_id: orderId } });
}

/** Waits for `work`, at most `ms`; the work goes on either way. */
async function withinMs(work: Promise<unknown>, ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const timeout = clock.sleep(Math.max(0, ms), AbortSignal.any([signal, over.signal])).catch(() => {});
  await Promise.race([work, timeout]);
  over.abort();
}
