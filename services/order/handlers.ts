import type { Database } from '#database';
import { type Clock, cutPage, type Random, readPage } from '#kit';
import { type CallContext, type Client, effectOf, type Handlers } from '#mesh';
import type { OrderService } from '#proto/shop/order/v1/order_pb.js';
import type { ProductService } from '#proto/shop/product/v1/product_pb.js';
import type { UserService } from '#proto/shop/user/v1/user_pb.js';
import type { BegunSaga, SagaDefinition, SagaRunner } from '#saga';

import type { CancelOrderState } from './cancel-order-saga.ts';
import { beginCancellation, requireCancelled } from './cancelling.ts';
import { changeToProto, orderToProto, wantedFromProto } from './converters.ts';
import type { Order } from './domain.ts';
import { offerFor } from './offering.ts';
import type { OrderEntry, Placed } from './order-writer.ts';
import type { PlaceOrderState } from './place-order-saga.ts';
import { placeOrder } from './placing.ts';
import { listOrders, orderNotFound } from './store.ts';
import type { OrderWatcher } from './watching.ts';

/** PlaceOrder and CancelOrder answer this long before their deadline, so that the answer still arrives. */
const ANSWER_MARGIN_MS = 250;
/** What ends the wait. Nobody is told it: it spares the error with a stack that an abort makes which is given no reason. */
const ANSWERED = 'answered';

interface Given {
  readonly database: Database;
  readonly users: Client<typeof UserService>;
  readonly products: Client<typeof ProductService>;
  readonly sagas: SagaRunner;
  readonly placeOrderSaga: SagaDefinition<PlaceOrderState>;
  readonly cancelOrderSaga: SagaDefinition<CancelOrderState>;
  readonly watcher: OrderWatcher;
  readonly readOrder: (orderId: string) => Promise<Order>;
  readonly writeOrder: (entry: OrderEntry) => Promise<Placed>;
  readonly clock: Clock;
  readonly random: Random;
}

export function orderHandlers(given: Given): Handlers<typeof OrderService> {
  const { database, watcher, readOrder, clock } = given;

  /** Runs a saga begun here, if there is one, and waits for the order where that does not end it: it may have to wait, or go on at another instance. */
  async function follow(saga: BegunSaga | undefined, orderId: string, signal: AbortSignal): Promise<void> {
    if (!(await saga?.run())) await watcher.untilAtRest(orderId, signal);
  }

  /** Where the call is for the owner alone: it costs others nothing. An order's owner never changes. */
  async function requireOwner(orderId: string, { ownership }: CallContext): Promise<void> {
    if (ownership) ownership.require((await readOrder(orderId)).userId, () => orderNotFound(orderId));
  }

  return {
    async placeOrder(request, call) {
      const wanted = wantedFromProto(request);
      const { orderId, saga } = await placeOrder(given, effectOf(call), request, () => offerFor(given, wanted));
      if (saga) await untilAnswer(call, clock, (signal) => follow(saga, orderId, signal));
      return { order: orderToProto(await readOrder(orderId)) };
    },

    async getOrder({ orderId }) {
      return { order: orderToProto(await readOrder(orderId)) };
    },

    async listOrders({ userId, pageSize, pageToken }) {
      const page = readPage(pageSize, pageToken);
      const { entries, nextPageToken } = cutPage(await listOrders(database, userId, page), page, (order) => order.orderId);
      return { orders: entries.map(orderToProto), nextPageToken };
    },

    async cancelOrder({ orderId }, call) {
      await requireOwner(orderId, call);
      const saga = await beginCancellation(given, orderId);
      await untilAnswer(call, clock, (signal) => follow(saga, orderId, signal));
      return { order: orderToProto(await requireCancelled(database, await readOrder(orderId))) };
    },

    async *watchOrder({ orderId, afterSequence }, call) {
      await requireOwner(orderId, call);
      for await (const change of watcher.watch(orderId, afterSequence, call.signal)) yield changeToProto(change);
    },
  };
}

/** Waits for `work`, at most until the answer has to leave; work that does not heed the signal goes on. */
async function untilAnswer({ deadline, signal }: CallContext, clock: Clock, work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const end = (): void => over.abort(ANSWERED);
  const timeout = clock.sleep(Math.max(0, deadline - clock.now() - ANSWER_MARGIN_MS), over.signal).catch(() => {});
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    await Promise.race([work(over.signal), timeout]);
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}
