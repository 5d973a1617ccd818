import { systemClock } from '#kit';
import { OrderState } from '#proto/shop/order/v1/order_pb.js';

import { moneyOf, until } from '../../shop/orders.ts';
import type { Shop } from '../../shop/shop-fixture.ts';
import { sideBySide } from './side-by-side.ts';
import type { Asked } from './traffic.ts';

/** What is wrong with an order that has come to rest, in words; none is right. */
export interface Findings {
  readonly wrong: readonly string[];
  /** Milliseconds until the last of them was final. */
  readonly finalAfterMs: number;
}

/** Five times what is aimed at: 10 s. */
const FINAL_WITHIN_MS = 50_000;
const AT_REST: ReadonlySet<OrderState> = new Set([OrderState.CONFIRMED, OrderState.FAILED, OrderState.CANCELLED]);
const SIDE_BY_SIDE = 8;

/** Looks at each of these orders once it is final: its state is one that its buyer could expect, and the money is what the state says. */
export async function inspect(shop: Shop, asked: readonly Asked[]): Promise<Findings> {
  const beganMs = systemClock.now();
  await sideBySide(SIDE_BY_SIDE, asked, ({ orderId }) => stateOf(shop, orderId));
  const finalAfterMs = systemClock.now() - beganMs;
  const wrong: string[] = [];
  await sideBySide(SIDE_BY_SIDE, asked, async (order) => void wrong.push(...(await inspectOne(shop, order))));
  return { wrong, finalAfterMs };
}

function stateOf({ orders }: Shop, orderId: string): Promise<OrderState> {
  return until(`order ${orderId} is final`, FINAL_WITHIN_MS, async () => {
    const { order } = await orders.getOrder({ orderId });
    return order && AT_REST.has(order.state) ? order.state : undefined;
  });
}

async function inspectOne(shop: Shop, { orderId, wish }: Asked): Promise<string[]> {
  const state = await stateOf(shop, orderId);
  const { captures, net } = await moneyOf(shop, orderId);
  const wrong: string[] = [];
  const name = OrderState[state];
  // What must not be sold is not. The others may have failed: a service that was away for too long turns an order round.
  if (wish !== 'bought' && state === OrderState.CONFIRMED) wrong.push(`order ${orderId} (${wish}) is ${name}`);
  if (state === OrderState.CONFIRMED && (captures !== 1 || net <= 0n)) wrong.push(`order ${orderId} is ${name} with ${captures} captures, ${net} kept`);
  if (state !== OrderState.CONFIRMED && (captures > 1 || net !== 0n)) wrong.push(`order ${orderId} is ${name} with ${captures} captures, ${net} kept`);
  return wrong;
}
