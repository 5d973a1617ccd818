import { appendEvent } from '#events';
import { type Clock, newId, type Random } from '#kit';
import type { Client } from '#mesh';
import type { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import type { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';
import type { ShippingService } from '#proto/shop/shipping/v1/shipping_pb.js';
import type { SagaDefinition } from '#saga';

import { CANCELLED_BY_CALLER } from './domain.ts';
import { orderEvent } from './events.ts';
import { moveOrder } from './store.ts';

/** What the steps need, as JSON. */
export interface CancelOrderState {
  readonly orderId: string;
}

interface Given {
  readonly inventory: Client<typeof InventoryService>;
  readonly payment: Client<typeof PaymentService>;
  readonly shipping: Client<typeof ShippingService>;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Calls a confirmed order off. The shipment decides: once it is cancelled nobody can hand
 * it over, and what follows can only go forward; if it was handed over, the order stays
 * confirmed.
 */
export function createCancelOrderSaga({ inventory, payment, shipping, clock, random }: Given): SagaDefinition<CancelOrderState> {
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
