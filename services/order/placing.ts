import { createHash } from 'node:crypto';

import { create, toBinary } from '@bufbuild/protobuf';

import { claimKey, type Database, findClaim, type KeyClaim, type Transaction } from '#database';
import { appendEvent } from '#events';
import { type Clock, newId, type Random, refusal } from '#kit';
import { describeMethod } from '#mesh';
import { OrderService, type PlaceOrderRequest, PlaceOrderRequestSchema } from '#proto/shop/order/v1/order_pb.js';
import type { BegunSaga, SagaDefinition, SagaRunner } from '#saga';

import { totalOf } from './domain.ts';
import { orderEvent } from './events.ts';
import type { Offer } from './offering.ts';
import type { PlaceOrderState } from './place-order-saga.ts';
import { insertOrder } from './store.ts';

const METHOD = describeMethod(OrderService.method.placeOrder).fullName;

/** Who sent the key. Callers have no identity yet, so all share one space of keys. */
const ANY_CALLER = '';

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
export async function placeOrder(given: Given, request: PlaceOrderRequest, offer: () => Promise<Offer>): Promise<Placed> {
  const claim = { method: METHOD, caller: ANY_CALLER, key: request.requestId, requestHash: hashOf(request) };
  let offered: Offer;
  try {
    offered = await offer();
  } catch (thrown) {
    // Only now, since most requests come once: whoever comes again pays for the look.
    const earlier = await findClaim(given.database, claim);
    if (earlier) return { orderId: resourceOf(earlier, claim), saga: undefined };
    throw thrown;
  }
  const orderId = newId(given.clock, given.random);
  return given.database.transaction('order.place', async (tx) => {
    const claimed = await claimKey(tx, { ...claim, resourceId: orderId });
    if (claimed.claimed) return { orderId, saga: await writeOrder(given, tx, orderId, offered) };
    return { orderId: resourceOf(claimed, claim), saga: undefined };
  });
}

/** The order that the same request has placed. */
function resourceOf({ resourceId, sameRequest }: { resourceId: string; sameRequest: boolean }, { key }: Pick<KeyClaim, 'key'>): string {
  if (sameRequest) return resourceId;
  throw refusal('IDEMPOTENCY_KEY_REUSED', `request_id ${key} was used for another order; choose a new one for each order`);
}

async function writeOrder({ sagas, placeOrderSaga, clock, random }: Given, tx: Transaction, orderId: string, offer: Offer): Promise<BegunSaga> {
  const { userId, paymentMethod, shippingAddress } = offer;
  const total = totalOf(offer.lines);
  await insertOrder(tx, { orderId, total, ...offer });
  await appendEvent(tx, orderEvent(newId(clock, random), 'placed', { orderId, userId, total }));
  const lines = offer.lines.map(({ productId, quantity }) => ({ productId, quantity }));
  const state = { orderId, lines, totalMinor: total.minor.toString(), currency: total.currency, paymentMethod, shippingAddress };
  return sagas.begin(tx, placeOrderSaga, { sagaId: orderId, subject: orderId, state });
}

/** Tells a resend from another order under the same key: the bytes of what is read of it but for the key, fields in the order of their numbers. */
function hashOf(request: PlaceOrderRequest): Uint8Array {
  const lines = request.lines.map((line) => ({ ...line, name: '' }));
  const withoutKey = create(PlaceOrderRequestSchema, { ...request, lines, requestId: '' });
  return createHash('sha256').update(toBinary(PlaceOrderRequestSchema, withoutKey)).digest();
}
