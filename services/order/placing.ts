import type { Database, Transaction } from '#database';
import { appendEvent } from '#events';
import { type Clock, newId, type Random } from '#kit';
import type { Effect } from '#mesh';
import type { PlaceOrderRequest } from '#proto/shop/order/v1/order_pb.js';
import type { BegunSaga, SagaDefinition, SagaRunner } from '#saga';

import { totalOf } from './domain.ts';
import { orderEvent } from './events.ts';
import type { Offer } from './offering.ts';
import type { PlaceOrderState } from './place-order-saga.ts';
import { insertOrder } from './store.ts';

export interface Placed {
  readonly orderId: string;
  /** The saga to run; undefined when the request had been placed before. */
  readonly saga: BegunSaga | undefined;
}

interface Given {
  readonly database: Database;
  readonly sagas: SagaRunner;
  readonly placeOrderSaga: SagaDefinition<PlaceOrderState>;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Places an order once. One transaction claims the key and writes order, saga and event;
 * the same request again finds the order it placed, also when what it asks for could not
 * be looked up or offered any more.
 */
export async function placeOrder(given: Given, effect: Effect, request: PlaceOrderRequest, offer: () => Promise<Offer>): Promise<Placed> {
  effect.readAs(withoutNames(request));
  let offered: Offer;
  try {
    offered = await offer();
  } catch (thrown) {
    // Only now, since most requests come once: whoever comes again pays for the look.
    const earlier = await effect.findResource();
    if (earlier) return { orderId: earlier, saga: undefined };
    throw thrown;
  }
  const wanted = newId(given.clock, given.random);
  return given.database.transaction('order.place', async (tx) => {
    const orderId = await effect.claimFor(tx, wanted);
    return { orderId, saga: orderId === wanted ? await writeOrder(given, tx, orderId, offered) : undefined };
  });
}

async function writeOrder({ sagas, placeOrderSaga, clock, random }: Given, tx: Transaction, orderId: string, offer: Offer): Promise<BegunSaga> {
  const { userId, paymentMethod, shippingAddress } = offer;
  const total = totalOf(offer.lines);
  await insertOrder(tx, { orderId, total, ...offer });
  await appendEvent(tx, orderEvent({ clock, random }, 'placed', { orderId, userId, total }));
  const lines = offer.lines.map(({ productId, quantity }) => ({ productId, quantity }));
  const state = { orderId, lines, totalMinor: total.minor.toString(), currency: total.currency, paymentMethod, shippingAddress };
  return sagas.begin(tx, placeOrderSaga, { sagaId: orderId, subject: orderId, state });
}

/** The contract says that the names of a request's lines are not read. */
function withoutNames(request: PlaceOrderRequest): PlaceOrderRequest {
  return { ...request, lines: request.lines.map((line) => ({ ...line, name: '' })) };
}
