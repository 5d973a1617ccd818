import { MeshError } from '#kit';
import { type Order, OrderState } from '#proto/shop/order/v1/order_pb.js';

import { newProduct, newUser, requestFor, until } from '../../shop/orders.ts';
import type { Shop } from '../../shop/shop-fixture.ts';

/** What a buyer is after. `cancelled`: a confirmed order is called off. */
export type Wish = 'bought' | 'declined' | 'sold out' | 'cancelled';

/** An order that somebody has asked for, until an answer came. */
export interface Asked {
  readonly wish: Wish;
  readonly userId: string;
  readonly orderId: string;
}

export interface Traffic {
  /** Buyers keep asking from now on, `lanes` of them side by side. */
  start(): void;
  /** Nobody asks for anything new; resolves with what was asked for since the last pause, once each has its answer. */
  pause(): Promise<readonly Asked[]>;
  /** Orders that these buyers have and nobody asked for, in words, each once. */
  strangers(): Promise<readonly string[]>;
}

/** A process that dies comes back in a second or two; on a busy machine, and behind others that died as well, later. */
const ANSWER_WITHIN_MS = 60_000;
const WISHES: readonly Wish[] = ['bought', 'bought', 'cancelled', 'bought', 'declined', 'bought', 'cancelled', 'sold out'];
const PRICE = { currencyCode: 'EUR', units: 12n, nanos: 500_000_000 };

export async function createTraffic(shop: Shop, lanes: number): Promise<Traffic> {
  // Processes that have just come up are slow on a busy machine.
  const patiently = <T>(what: string, ask: () => Promise<T>): Promise<T> => until(what, ANSWER_WITHIN_MS, ask);
  const plenty = await patiently('there is a product', () => newProduct(shop, 1_000_000n, PRICE));
  const none = await patiently('there is one that is sold out', () => newProduct(shop, 0n, PRICE));
  const buyers = await Promise.all(Array.from({ length: lanes }, () => patiently('there is a buyer', () => newUser(shop))));
  let asked: Asked[] = [];
  const known = new Set<string>();
  let running: Promise<void>[] = [];
  let paused = true;
  let turn = 0;

  async function buy(userId: string, wish: Wish): Promise<void> {
    const productId = wish === 'sold out' ? none : plenty;
    const request = requestFor(userId, productId, wish === 'declined' ? { paymentMethod: 'pm_card_chargeDeclined' } : {});
    // A buyer who gets no answer waits a little, and sends the same request again.
    const order = await until('an order is answered', ANSWER_WITHIN_MS, async () => (await shop.orders.placeOrder(request)).order);
    asked.push({ wish, userId, orderId: order.orderId });
    known.add(order.orderId);
    if (wish === 'cancelled') await cancel(shop, order);
  }

  async function lane(userId: string): Promise<void> {
    while (!paused) await buy(userId, WISHES[(turn += 1) % WISHES.length] ?? 'bought');
  }

  return {
    start() {
      paused = false;
      running = buyers.map(lane);
    },
    async pause() {
      paused = true;
      await Promise.all(running);
      running = [];
      const since = asked;
      asked = [];
      return since;
    },
    async strangers() {
      const orderIds = (await Promise.all(buyers.map((userId) => ordersOf(shop, userId)))).flat();
      const unknown = orderIds.filter((orderId) => !known.has(orderId));
      for (const orderId of unknown) known.add(orderId);
      return unknown.map((orderId) => `order ${orderId} was placed for a request that has another`);
    },
  };
}

async function ordersOf({ orders }: Shop, userId: string): Promise<string[]> {
  const orderIds: string[] = [];
  for (let pageToken = ''; ; ) {
    const page = await until('the orders of a buyer are listed', ANSWER_WITHIN_MS, () => orders.listOrders({ userId, pageSize: 200, pageToken }));
    orderIds.push(...page.orders.map(({ orderId }) => orderId));
    pageToken = page.nextPageToken;
    if (pageToken === '') return orderIds;
  }
}

/** Calls an order off until somebody says what has become of that: what is on its way to CONFIRMED is asked again. */
async function cancel({ orders }: Shop, { orderId }: Order): Promise<void> {
  await until('a cancellation is answered', ANSWER_WITHIN_MS, async () => {
    try {
      const { order } = await orders.cancelOrder({ orderId });
      return order?.state === OrderState.CANCELLED || order?.state === OrderState.FAILED ? true : undefined;
    } catch (thrown) {
      const { reason } = MeshError.from(thrown);
      return reason === 'ORDER_FAILED' ? true : undefined;
    }
  });
}
