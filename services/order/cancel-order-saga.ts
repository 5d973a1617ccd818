import type { EndedSaga, SagaDefinition } from '#saga';

import { CANCELLED_BY_CALLER } from './domain.ts';
import { finishOrders, type Verdict } from './finishing.ts';
import type { SagaDependencies } from './place-order-saga.ts';

/** What the steps need, as JSON. */
export interface CancelOrderState {
  readonly orderId: string;
}

/**
 * Calls a confirmed order off. The shipment decides: once it is cancelled nobody can hand
 * it over, and what follows can only go forward; if it was handed over, the order stays
 * confirmed.
 */
export function createCancelOrderSaga({ inventory, payment, shipping, clock, random, log }: SagaDependencies): SagaDefinition<CancelOrderState> {
  return {
    name: 'cancel-order',
    pivot: { step: 'cancel shipment', refusals: ['SHIPMENT_HANDED_OVER'] },
    steps: [
      { name: 'cancel shipment', action: async ({ orderId }, { signal }) => void (await shipping.cancelShipment({ orderId }, { signal })) },
      { name: 'refund', action: async ({ orderId }, { signal }) => void (await payment.refund({ orderId }, { signal })) },
      { name: 'restock', action: async ({ orderId }, { signal }) => void (await inventory.restock({ orderId }, { signal })) },
    ],
    onFinished: (tx, ended) => finishOrders(tx, { clock, random, log }, ended, judge),
  };
}

function judge({ state: { orderId }, outcome }: EndedSaga<CancelOrderState>): Verdict {
  return outcome.kind === 'completed'
    ? { orderId, from: 'CANCELLING', to: 'CANCELLED', reason: CANCELLED_BY_CALLER, event: 'cancelled' }
    : { orderId, from: 'CANCELLING', to: 'CONFIRMED', reason: outcome.failure.reason, event: 'cancellationRefused' };
}
