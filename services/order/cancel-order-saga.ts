import { appendEvent } from '#events';
import { newId } from '#kit';
import type { SagaDefinition } from '#saga';

import { CANCELLED_BY_CALLER } from './domain.ts';
import { orderEvent } from './events.ts';
import type { SagaDependencies } from './place-order-saga.ts';
import { moveOrder } from './store.ts';

/** What the steps need, as JSON. */
export interface CancelOrderState {
  readonly orderId: string;
}

/**
 * Calls a confirmed order off. The shipment decides: once it is cancelled nobody can hand
 * it over, and what follows can only go forward; if it was handed over, the order stays
 * confirmed.
 */
export function createCancelOrderSaga({ inventory, payment, shipping, clock, random }: SagaDependencies): SagaDefinition<CancelOrderState> {
  return {
    name: 'cancel-order',
    pivot: { step: 'cancel shipment', refusals: ['SHIPMENT_HANDED_OVER'] },
    steps: [
      { name: 'cancel shipment', action: async ({ orderId }, { signal }) => void (await shipping.cancelShipment({ orderId }, { signal })) },
      { name: 'refund', action: async ({ orderId }, { signal }) => void (await payment.refund({ orderId }, { signal })) },
      { name: 'restock', action: async ({ orderId }, { signal }) => void (await inventory.restock({ orderId }, { signal })) },
    ],
    async onFinished(tx, _sagaId, { orderId }, outcome) {
      const cancelled = outcome.kind === 'completed';
      const reason = cancelled ? CANCELLED_BY_CALLER : outcome.failure.reason;
      const order = await moveOrder(tx, orderId, { from: 'CANCELLING', to: cancelled ? 'CANCELLED' : 'CONFIRMED', reason });
      if (order) await appendEvent(tx, orderEvent(newId(clock, random), cancelled ? 'cancelled' : 'cancellationRefused', order, reason));
    },
  };
}
