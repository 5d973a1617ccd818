import { type Clock, newId, type Random } from '#kit';
import type { Effect } from '#mesh';
import type { PlaceOrderRequest } from '#proto/shop/order/v1/order_pb.js';
import type { SagaDefinition, SagaRunner } from '#saga';

import { totalOf } from './domain.ts';
import { orderEvent } from './events.ts';
import type { Offer } from './offering.ts';
import type { OrderEntry, Placed } from './order-writer.ts';
import type { PlaceOrderState } from './place-order-saga.ts';
import type { NewOrder } from './store.ts';

interface Given {
  readonly writeOrder: (entry: OrderEntry) => Promise<Placed>;
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
  let order: NewOrder;
  try {
    const offered = await offer();
    order = { ...offered, orderId: newId(given.clock, given.random), total: totalOf(offered.lines) };
  } catch (thrown) {
    // Only now, since most requests come once: whoever comes again pays for the look.
    const earlier = await effect.findResource();
    if (earlier) return { orderId: earlier, saga: undefined };
    throw thrown;
  }
  return given.writeOrder(entryOf(given, effect, order));
}

/** Made within the call, so that event and saga belong to its trace. */
function entryOf({ sagas, placeOrderSaga, clock, random }: Given, effect: Effect, order: NewOrder): OrderEntry {
  const { orderId, total, paymentMethod, shippingAddress } = order;
  const lines = order.lines.map(({ productId, quantity }) => ({ productId, quantity }));
  const state = { orderId, lines, totalMinor: total.minor.toString(), currency: total.currency, paymentMethod, shippingAddress };
  return {
    order,
    claim: effect.claimOf(orderId),
    event: orderEvent({ clock, random }, 'placed', order),
    saga: sagas.prepare(placeOrderSaga, { sagaId: orderId, subject: orderId, state }),
  };
}

/** The contract says that the names of a request's lines are not read. */
function withoutNames(request: PlaceOrderRequest): PlaceOrderRequest {
  return { ...request, lines: request.lines.map((line) => ({ ...line, name: '' })) };
}
