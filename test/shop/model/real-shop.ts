import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import type { ModuleName } from '#modules';
import { type Order, OrderState } from '#proto/shop/order/v1/order_pb.js';
import { SagaState } from '#proto/shop/order/v1/saga_pb.js';

import type { FaultyShop } from '../faults/faulty-shop.ts';
import { ADDRESS } from '../orders.ts';
import { type Answer, answerTo, eventually } from './answers.ts';
import { CARDS, CARRIERS, type Wanted } from './wanted.ts';

/** How many instances each service has. */
export type Fleet = Readonly<Partial<Record<ModuleName, number>>>;

/** A shop in the midst of one history, which has its own buyer, products and orders: numbers are those of the model. */
export interface RealShop {
  readonly shop: FaultyShop;
  readonly fleet: Fleet;
  readonly userId: string;
  readonly productIds: readonly string[];
  readonly orderIds: string[];
  /** What has happened, for people. */
  readonly journal: string[];
  /** Whether a process was killed, so that calls may meet nobody for a while. */
  disturbed: boolean;
  /** Aborted when the history has failed: what it has left running ends then. */
  readonly over: AbortController;
}

/** Calls until there is an answer: a value, or the reason of a refusal. */
export function ask<T>(real: RealShop, call: () => Promise<T>): Promise<Answer<T>> {
  return answerTo(call, { disturbed: () => real.disturbed, signal: real.over.signal });
}

/** As `ask`, where nothing is to be refused. */
export async function get<T>(real: RealShop, call: () => Promise<T>): Promise<T> {
  const { reason, value } = await ask(real, call);
  // An answer without a reason has a value.
  return reason === '' ? (value as T) : expect.fail(`the call was refused: ${reason}`);
}

/** An amount in cents, as the contracts have it. */
export function euros(minor: number): { currencyCode: string; units: bigint; nanos: number } {
  return { currencyCode: 'EUR', units: BigInt(Math.trunc(minor / 100)), nanos: (minor % 100) * 10_000_000 };
}

/** Sends a request until it is answered: with the id of its order, or a refusal. */
export function sendRequest(real: RealShop, requestNumber: number, wanted: Wanted, headers: Record<string, string> = {}): Promise<Answer<Order>> {
  const request = {
    requestId: `${real.userId}_${requestNumber}`,
    userId: real.userId,
    lines: wanted.lines.map(({ product, quantity, seenMinor }) => ({
      productId: productIdOf(real, product),
      quantity,
      ...(seenMinor !== undefined && { unitPrice: euros(seenMinor) }),
    })),
    paymentMethod: CARDS[wanted.card],
    shippingAddress: { ...ADDRESS, postalCode: CARRIERS[wanted.carrier] },
  };
  return ask(real, async () => (await real.shop.orders.placeOrder(request, { headers })).order ?? expect.fail('PlaceOrder answered without an order'));
}

/** The order once nothing more happens to it by itself; fails when nothing ever will. */
export async function orderAtRest(real: RealShop, orderId: string): Promise<Order> {
  const { order, stuck } = await eventually(`order ${orderId} is at rest`, real.over.signal, async () => {
    const { order: found } = await get(real, () => real.shop.orders.getOrder({ orderId }));
    if (found && found.state !== OrderState.PENDING && found.state !== OrderState.CANCELLING) return { order: found };
    const { sagas } = await get(real, () => real.shop.sagas.listSagas({ orderId, state: SagaState.STUCK }));
    return sagas[0] && { stuck: sagas[0] };
  });
  return order ?? expect.fail(`${stuck?.definition} of the order is stuck: ${stuck?.lastError?.reason}, ${stuck?.lastError?.message}`);
}

/** The changes of an order after a number, as one who watches it sees them: a stream that breaks is begun again behind the last. */
export async function watch(real: RealShop, orderId: string, after: number): Promise<[state: string, reason: string][]> {
  const seen: [string, string][] = [];
  const { reason } = await ask(real, async () => {
    const afterSequence = BigInt(after + seen.length);
    for await (const change of real.shop.orders.watchOrder({ orderId, afterSequence })) {
      expect(Number(change.sequence), 'the number of a change').to.equal(after + seen.length + 1);
      seen.push([OrderState[change.state], change.reason]);
    }
  });
  expect(reason).to.equal('');
  return seen;
}

export function orderIdOf({ orderIds }: RealShop, number: number): string {
  return orderIds[number] ?? expect.fail(`there is no order ${number}`);
}

export function productIdOf({ productIds }: RealShop, number: number): string {
  return productIds[number] ?? expect.fail(`there is no product ${number}`);
}

/** A buyer and products of its own, without stock; the shop may still be mending what the history before has left. */
export async function beginHistory(shop: FaultyShop, fleet: Fleet, pricesMinor: readonly number[]): Promise<RealShop> {
  const id = randomUUID();
  const real: RealShop = {
    shop,
    fleet,
    userId: `u-${id}`,
    productIds: pricesMinor.map((_, number) => `p${number}-${id}`),
    orderIds: [],
    journal: [],
    disturbed: true,
    over: new AbortController(),
  };
  const { userId, productIds } = real;
  await Promise.all([
    get(real, () => shop.users.createUser({ userId, email: 'buyer@example.com', displayName: 'Buyer' })),
    ...productIds.map((productId, number) => get(real, () => shop.products.createProduct({ productId, name: `Product ${number}`, price: euros(pricesMinor[number] ?? 0) }))),
  ]);
  real.disturbed = false;
  return real;
}
