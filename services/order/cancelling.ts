import type { Database } from '#database';
import { appendEvent } from '#events';
import { type Clock, type MeshError, newId, type Random, refusal } from '#kit';
import { type BegunSaga, cancelSaga, findSaga, type SagaDefinition, type SagaRunner } from '#saga';

import type { CancelOrderState } from './cancel-order-saga.ts';
import { CANCELLED_BY_CALLER, type Order } from './domain.ts';
import { orderEvent } from './events.ts';
import type { PlaceOrderState } from './place-order-saga.ts';
import { lastChange, moveOrder, orderOf } from './store.ts';

const BY_CALLER = { reason: CANCELLED_BY_CALLER, message: 'the buyer called the order off' };

interface Given {
  readonly database: Database;
  readonly sagas: SagaRunner;
  readonly placeOrderSaga: SagaDefinition<PlaceOrderState>;
  readonly cancelOrderSaga: SagaDefinition<CancelOrderState>;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Sets an order on its way to CANCELLED, if it can get there, and returns the saga to run
 * for that, if there is one. ORDER_NOT_FOUND, ORDER_FAILED, ORDER_CONFIRMING.
 */
export async function beginCancellation(given: Given, orderId: string): Promise<BegunSaga | undefined> {
  const { state } = await orderOf(given.database, orderId);
  switch (state) {
    case 'PENDING':
      return (await turnRound(given, orderId)) ? undefined : beginCancellation(given, orderId);
    case 'CONFIRMED':
      return (await beginSaga(given, orderId)) ?? beginCancellation(given, orderId);
    case 'FAILED':
      throw failed(orderId);
    case 'CANCELLING':
    case 'CANCELLED':
      return undefined;
  }
}

/** What an order that has come to rest says to whoever wanted it cancelled. */
export async function requireCancelled(database: Database, order: Order): Promise<Order> {
  if (order.state === 'FAILED') throw failed(order.orderId);
  if (order.state !== 'CONFIRMED') return order;
  const reason = (await lastChange(database, order.orderId))?.reason;
  const why = `order ${order.orderId} cannot be cancelled any more`;
  if (reason === 'SHIPMENT_HANDED_OVER') throw refusal('SHIPMENT_HANDED_OVER', `${why}: the parcel is with the carrier`);
  // The only refusal that its saga takes for one; and an order that has just been confirmed was not to be turned round.
  throw refusal('ORDER_CONFIRMING', `order ${order.orderId} was being confirmed; cancel it now that it is CONFIRMED`);
}

/** Turns the saga of a PENDING order round. False when the order has come to rest meanwhile. */
async function turnRound({ database, placeOrderSaga }: Given, orderId: string): Promise<boolean> {
  if (await cancelSaga(database, placeOrderSaga, orderId, BY_CALLER)) return true;
  const status = (await findSaga(database, orderId))?.status;
  if (status === 'RUNNING') {
    throw refusal('ORDER_CONFIRMING', `order ${orderId} is being confirmed and cannot be undone just now; cancel it once it is CONFIRMED`);
  }
  // On its way back already: by an earlier cancellation, or because it fails.
  return status !== 'COMPLETED' && status !== 'FAILED';
}

/** Undefined when the order is not CONFIRMED any more. */
function beginSaga({ database, sagas, cancelOrderSaga, clock, random }: Given, orderId: string): Promise<BegunSaga | undefined> {
  return database.transaction('order.cancel', async (tx) => {
    const order = await moveOrder(tx, { orderId, from: 'CONFIRMED', to: 'CANCELLING', reason: '' });
    if (!order) return undefined;
    await appendEvent(tx, orderEvent({ clock, random }, 'cancellationBegun', order));
    return sagas.begin(tx, cancelOrderSaga, { sagaId: newId(clock, random), subject: orderId, state: { orderId } });
  });
}

function failed(orderId: string): MeshError {
  return refusal('ORDER_FAILED', `order ${orderId} has failed: nothing was sold and there is nothing to cancel`, { metadata: { order_id: orderId } });
}
