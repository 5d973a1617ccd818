import { randomUUID } from 'node:crypto';

import type { MessageInitShape } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { MeshError, systemClock } from '#kit';
import { type Order, OrderState, type PlaceOrderRequestSchema } from '#proto/shop/order/v1/order_pb.js';

import type { Shop } from './shop-fixture.ts';

/** As a caller writes it: fields, no message. */
type PlaceOrder = Partial<Exclude<MessageInitShape<typeof PlaceOrderRequestSchema>, { $typeName: string }>>;

export const EUR_12_50 = { currencyCode: 'EUR', units: 12n, nanos: 500_000_000 };

/** A new product with this much stock, so that tests do not share any. */
export async function newProduct({ products, inventory }: Shop, available: bigint, price = EUR_12_50): Promise<string> {
  const productId = `product-${randomUUID()}`;
  await products.createProduct({ productId, name: 'A product', price });
  await inventory.setStock({ productId, available });
  return productId;
}

export async function newUser({ users }: Shop): Promise<string> {
  const { user } = await users.createUser({ email: 'buyer@example.com', displayName: 'Buyer' });
  return user?.userId ?? '';
}

export const ADDRESS = { recipient: 'Buyer', street: 'Main Street 1', city: 'Berlin', postalCode: '10115', countryCode: 'DE' };

/** A valid request for two pieces, to be varied. */
export function requestFor(userId: string, productId: string, other: PlaceOrder = {}): PlaceOrder {
  return {
    requestId: randomUUID(),
    userId,
    lines: [{ productId, quantity: 2 }],
    paymentMethod: 'pm_card_visa',
    shippingAddress: ADDRESS,
    ...other,
  };
}

/** The order as it was placed; fails when there is none in the answer. */
export async function place(shop: Shop, request: PlaceOrder): Promise<Order> {
  const { order } = await shop.orders.placeOrder(request);
  if (!order) throw new Error('PlaceOrder answered without an order');
  return order;
}

/** Stock of a product as [available, reserved, sold]. */
export async function stockOf({ inventory }: Shop, productId: string): Promise<[bigint, bigint, bigint]> {
  const { stock } = await inventory.getStock({ productId });
  return [stock?.available ?? -1n, stock?.reserved ?? -1n, stock?.sold ?? -1n];
}

/** What the card company took minus what it gave back, in minor units, and how often it took. */
export async function moneyOf(shop: Shop, orderId: string): Promise<{ captures: number; net: bigint }> {
  const entries = await shop.ledger(orderId);
  const captures = entries.filter(({ kind }) => kind === 'capture');
  const net = entries.reduce((sum, { kind, amountMinor }) => sum + (kind === 'refund' ? -amountMinor : amountMinor), 0n);
  return { captures: captures.length, net };
}

/** Waits for an order's final state. */
export async function finalOrder(shop: Shop, orderId: string, withinMs: number): Promise<Order> {
  return until(`order ${orderId} is final`, withinMs, async () => {
    const { order } = await shop.orders.getOrder({ orderId });
    return order && order.state !== OrderState.PENDING ? order : undefined;
  });
}

/** Asks again until there is an answer; errors on the way are those of a process that is just starting again. */
export async function until<T>(what: string, withinMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = systemClock.now() + withinMs;
  let last: unknown;
  while (systemClock.now() < deadline) {
    try {
      const found = await ask();
      if (found !== undefined) return found;
    } catch (thrown) {
      last = thrown;
    }
    await systemClock.sleep(50);
  }
  throw new Error(`not within ${withinMs} ms: ${what}`, { cause: last });
}

/** The reason of a refusal; fails when the call succeeds. */
export async function refusalOf(call: Promise<unknown>): Promise<MeshError> {
  const result = await call.then(
    () => undefined,
    (thrown: unknown) => MeshError.from(thrown),
  );
  if (!result) expect.fail('the call succeeded');
  return result;
}
