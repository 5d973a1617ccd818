import { type Clock, type Log, type Random, toProtoMoney } from '#kit';
import type { Client } from '#mesh';
import type { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import type { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';
import type { ShippingService } from '#proto/shop/shipping/v1/shipping_pb.js';
import type { EndedSaga, SagaDefinition } from '#saga';

import { type Address, CANCELLED_BY_CALLER } from './domain.ts';
import { finishOrders, type Verdict } from './finishing.ts';
import { requireCharged } from './require-charged.ts';

/** What the steps need, as JSON. */
export interface PlaceOrderState {
  readonly orderId: string;
  readonly lines: readonly { readonly productId: string; readonly quantity: number }[];
  readonly totalMinor: string;
  readonly currency: string;
  readonly paymentMethod: string;
  readonly shippingAddress: Address;
  /** Learnt when the shipment is booked. */
  readonly trackingNumber?: string;
}

/** What the sagas of an order call. */
export interface SagaDependencies {
  readonly inventory: Client<typeof InventoryService>;
  readonly payment: Client<typeof PaymentService>;
  readonly shipping: Client<typeof ShippingService>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Reserve, charge, schedule the shipment, confirm. Every call is keyed by the order, so each
 * step may run again, and what undoes it needs nothing but the order's id. So the first two
 * are not written down by themselves: an order costs three commits here, as it is placed, on
 * its way to the pivot, and as it ends. After a crash in between it is reserved and charged
 * again by the same keys, which says what was said before.
 */
export function createPlaceOrderSaga({ inventory, payment, shipping, clock, random, log }: SagaDependencies): SagaDefinition<PlaceOrderState> {
  return {
    name: 'place-order',
    pivot: { step: 'confirm', refusals: ['RESERVATION_EXPIRED', 'RESERVATION_RELEASED', 'RESERVATION_NOT_FOUND'] },
    steps: [
      {
        name: 'reserve',
        checkpoint: false,
        action: async ({ orderId, lines }, { signal }) => void (await inventory.reserve({ orderId, lines: [...lines] }, { signal })),
        compensate: async ({ orderId }, { signal }) => void (await inventory.release({ orderId }, { signal })),
      },
      {
        name: 'charge',
        checkpoint: false,
        async action({ orderId, totalMinor, currency, paymentMethod }, { signal }) {
          const amount = toProtoMoney({ minor: BigInt(totalMinor), currency });
          requireCharged((await payment.charge({ orderId, amount, paymentMethod }, { signal })).payment);
        },
        compensate: async ({ orderId }, { signal }) => void (await payment.refund({ orderId }, { signal })),
      },
      {
        name: 'schedule shipment',
        async action({ orderId, lines, shippingAddress }, { signal }) {
          const { shipment } = await shipping.scheduleShipment({ orderId, lines: [...lines], address: shippingAddress }, { signal });
          return { trackingNumber: shipment?.trackingNumber ?? '' };
        },
        compensate: async ({ orderId }, { signal }) => void (await shipping.cancelShipment({ orderId }, { signal })),
      },
      {
        name: 'confirm',
        action: async ({ orderId }, { signal }) => void (await inventory.commit({ orderId }, { signal })),
      },
    ],
    onFinished: (tx, ended) => finishOrders(tx, { clock, random, log }, ended, judge),
  };
}

function judge({ state: { orderId, trackingNumber }, outcome }: EndedSaga<PlaceOrderState>): Verdict {
  if (outcome.kind === 'completed') {
    return { orderId, from: 'PENDING', to: 'CONFIRMED', reason: '', event: 'confirmed', ...(trackingNumber && { trackingNumber }) };
  }
  const { reason } = outcome.failure;
  return reason === CANCELLED_BY_CALLER
    ? { orderId, from: 'PENDING', to: 'CANCELLED', reason, event: 'cancelled' }
    : { orderId, from: 'PENDING', to: 'FAILED', reason, event: 'failed' };
}
