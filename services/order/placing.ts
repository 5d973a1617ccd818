import { createHash } from 'node:crypto';

import { create, toBinary } from '@bufbuild/protobuf';

import { claimKey, type Database, type Transaction } from '#database';
import { appendEvent } from '#events';
import { type Clock, newId, type Random, refusal } from '#kit';
import { describeMethod } from '#mesh';
import { OrderService, type PlaceOrderRequest, PlaceOrderRequestSchema } from '#proto/shop/order/v1/order_pb.js';
import type { BegunSaga, SagaRunner } from '#saga';

import { type Order, totalOf } from './domain.ts';
import { orderEvent } from './events.ts';
import type { PlaceOrderState } from './saga.ts';
import { insertOrder } from './store.ts';

const METHOD = describeMethod(OrderService.method.placeOrder).fullName;

/** Who sent the key. Callers have no identity yet, so all share one space of keys. */
const ANY_CALLER = '';

export type NewOrder = Pick<Order, 'userId' | 'lines' | 'paymentMethod' | 'shippingAddress'>;

export interface Placed {
  readonly orderId: string;
  /** The saga to run; undefined when the request had been placed before. */
  readonly saga: BegunSaga | undefined;
}

interface Given {
  readonly database: Database;
  readonly sagas: SagaRunner<PlaceOrderState>;
  readonly clock: Clock;
  readonly random: Random;
}

/** One transaction claims the key and writes order, saga and event. The same request again finds the order it placed. */
export function placeOrder(given: Given, request: PlaceOrderRequest, wanted: NewOrder): Promise<Placed> {
  const orderId = newId(given.clock, given.random);
  const claim = { method: METHOD, caller: ANY_CALLER, key: request.requestId, requestHash: hashOf(request), resourceId: orderId };
  return given.database.transaction('order.place', async (tx) => {
    const claimed = await claimKey(tx, claim);
    if (claimed.claimed) return { orderId, saga: await writeOrder(given, tx, orderId, wanted) };
    if (claimed.sameRequest) return { orderId: claimed.resourceId, saga: undefined };
    throw refusal('IDEMPOTENCY_KEY_REUSED', `request_id ${request.requestId} was used for another order; choose a new one for each order`);
  });
}

async function writeOrder({ sagas, clock, random }: Given, tx: Transaction, orderId: string, wanted: NewOrder): Promise<BegunSaga> {
  const total = totalOf(wanted.lines);
  await insertOrder(tx, { ...wanted, orderId, total });
  await appendEvent(tx, orderEvent(newId(clock, random), { orderId, userId: wanted.userId, state: 'PENDING', reason: '', total }));
  return sagas.begin(tx, orderId, {
    orderId,
    lines: wanted.lines.map(({ productId, quantity }) => ({ productId, quantity })),
    totalMinor: total.minor.toString(),
    currency: total.currency,
    paymentMethod: wanted.paymentMethod,
  });
}

/** Tells a resend from another order under the same key: the request's bytes without the key, fields in the order of their numbers. */
function hashOf(request: PlaceOrderRequest): Uint8Array {
  const withoutKey = create(PlaceOrderRequestSchema, { ...request, requestId: '' });
  return createHash('sha256').update(toBinary(PlaceOrderRequestSchema, withoutKey)).digest();
}
