import type { Transaction } from '#database';
import { appendEvent } from '#events';
import { type Clock, newId, type Random, refusal, toProtoMoney } from '#kit';
import type { Client } from '#mesh';
import type { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { type Payment, type PaymentService, PaymentState } from '#proto/shop/payment/v1/payment_pb.js';
import type { ShippingService } from '#proto/shop/shipping/v1/shipping_pb.js';
import type { Outcome, SagaDefinition } from '#saga';

import { type Address, CANCELLED_BY_CALLER } from './domain.ts';
import { orderEvent } from './events.ts';
import { moveOrder } from './store.ts';

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
}

/** Reserve, charge, schedule the shipment, confirm. Every call is keyed by the order, so each step may run again. */
export function createPlaceOrderSaga({ inventory, payment, shipping, clock, random }: SagaDependencies): SagaDefinition<PlaceOrderState> {
  return {
    name: 'place-order',
    pivot: { step: 'confirm', refusals: ['RESERVATION_EXPIRED', 'RESERVATION_RELEASED', 'RESERVATION_NOT_FOUND'] },
    steps: [
      {
        name: 'reserve',
        action: async ({ orderId, lines }, { signal }) => void (await inventory.reserve({ orderId, lines: [...lines] }, { signal })),
        compensate: async ({ orderId }, { signal }) => void (await inventory.release({ orderId }, { signal })),
      },
      {
        name: 'charge',
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
    onFinished: (tx, orderId, { trackingNumber }, outcome) => finishOrder(tx, newId(clock, random), { orderId, trackingNumber }, outcome),
  };
}

/** A declined charge is an answer, not an error of the call. */
function requireCharged(payment: Payment | undefined): void {
  if (payment?.state === PaymentState.COMPLETED) return;
  if (payment?.declineCode === 'request_rejected') {
    throw refusal('PAYMENT_REJECTED', `Stripe does not take payment method ${payment.paymentMethod}; use another one`);
  }
  throw refusal('CARD_DECLINED', `the card was declined (${payment?.declineCode}); use another payment method`);
}

async function finishOrder(
  tx: Transaction,
  eventId: string,
  { orderId, trackingNumber }: { orderId: string; trackingNumber: string | undefined },
  outcome: Outcome,
): Promise<void> {
  if (outcome.kind === 'completed') {
    const order = await moveOrder(tx, orderId, { from: 'PENDING', to: 'CONFIRMED', reason: '', ...(trackingNumber && { trackingNumber }) });
    if (order) await appendEvent(tx, orderEvent(eventId, 'confirmed', order));
    return;
  }
  const { reason } = outcome.failure;
  const cancelled = reason === CANCELLED_BY_CALLER;
  const order = await moveOrder(tx, orderId, { from: 'PENDING', to: cancelled ? 'CANCELLED' : 'FAILED', reason });
  if (order) await appendEvent(tx, orderEvent(eventId, cancelled ? 'cancelled' : 'failed', order, reason));
}
