import { appendEvent } from '#events';
import { type Clock, newId, type Random, refusal, toProtoMoney } from '#kit';
import type { Client } from '#mesh';
import type { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { type PaymentService, PaymentState } from '#proto/shop/payment/v1/payment_pb.js';
import type { SagaDefinition } from '#saga';

import { orderEvent } from './events.ts';
import { finishOrder } from './store.ts';

/** What the steps need, as JSON. */
export interface PlaceOrderState {
  readonly orderId: string;
  readonly lines: readonly { readonly productId: string; readonly quantity: number }[];
  readonly totalMinor: string;
  readonly currency: string;
  readonly paymentMethod: string;
}

interface Given {
  readonly inventory: Client<typeof InventoryService>;
  readonly payment: Client<typeof PaymentService>;
  readonly clock: Clock;
  readonly random: Random;
}

/** Reserve, charge, confirm. Every call is keyed by the order, so each step may run again. */
export function placeOrderSaga({ inventory, payment, clock, random }: Given): SagaDefinition<PlaceOrderState> {
  return {
    name: 'place-order',
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
          const { payment: charged } = await payment.charge({ orderId, amount, paymentMethod }, { signal });
          if (charged?.state === PaymentState.COMPLETED) return;
          if (charged?.declineCode === 'request_rejected') {
            throw refusal('PAYMENT_REJECTED', `Stripe does not take payment method ${paymentMethod}; use another one`);
          }
          throw refusal('CARD_DECLINED', `the card was declined (${charged?.declineCode}); use another payment method`);
        },
        compensate: async ({ orderId }, { signal }) => void (await payment.refund({ orderId }, { signal })),
      },
      {
        name: 'confirm',
        action: async ({ orderId }, { signal }) => void (await inventory.commit({ orderId }, { signal })),
      },
    ],
    async onFinished(tx, orderId, _state, outcome) {
      const [state, reason] = outcome.kind === 'completed' ? (['CONFIRMED', ''] as const) : (['FAILED', outcome.failure.reason] as const);
      const order = await finishOrder(tx, orderId, state, reason);
      if (order) await appendEvent(tx, orderEvent(newId(clock, random), order));
    },
  };
}
