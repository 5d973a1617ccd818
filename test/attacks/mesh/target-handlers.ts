import { once } from 'node:events';

import { refusal } from '#kit';
import type { Client, Handlers } from '#mesh';
import type { OrderService } from '#proto/shop/order/v1/order_pb.js';
import type { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';
import type { ProductService } from '#proto/shop/product/v1/product_pb.js';

const OWNERS: Readonly<Record<string, string>> = { 'order-of-ada': 'ada', 'order-of-bo': 'bo' };

/** What came of the calls that got as far as a handler. */
export interface Traces {
  /** Such as `charge order-of-ada`, in its order. */
  readonly done: string[];
  /** The header `authorization` of each call to products. */
  readonly shownToProducts: (string | undefined)[];
  /** How often the orders that are watched have changed; `change` tells of it. */
  changes: number;
  readonly change: EventTarget;
}

export function createTraces(): Traces {
  return { done: [], shownToProducts: [], changes: 0, change: new EventTarget() };
}

export function orderHandlers(traces: Traces): Partial<Handlers<typeof OrderService>> {
  return {
    async getOrder({ orderId }) {
      const userId = OWNERS[orderId];
      if (userId === undefined) throw refusal('ORDER_NOT_FOUND', `there is no order ${orderId}`);
      return { order: { orderId, userId } };
    },
    async listOrders({ userId }) {
      traces.done.push(`list of ${userId}`);
      return {};
    },
    async *watchOrder({ orderId }, { ownership, signal }) {
      ownership?.require(OWNERS[orderId] ?? '', () => refusal('ORDER_NOT_FOUND', `there is no order ${orderId}`));
      for (let seen = 0; ; seen += 1) {
        yield { sequence: BigInt(seen) + 1n };
        if (traces.changes <= seen) await once(traces.change, 'change', { signal });
      }
    },
  };
}

export function productHandlers({ done, shownToProducts }: Traces): Partial<Handlers<typeof ProductService>> {
  return {
    async getProduct({ productId }, call) {
      done.push(`product for ${call.peer.service}`);
      shownToProducts.push(call.header('authorization'));
      return { product: { productId } };
    },
  };
}

export function paymentHandlers({ done }: Traces, products: Client<typeof ProductService>): Partial<Handlers<typeof PaymentService>> {
  return {
    async charge({ orderId }) {
      done.push(`charge ${orderId}`);
      return { payment: { orderId } };
    },
    async getPayment({ orderId }, { ownership }) {
      ownership?.require(OWNERS[orderId] ?? '', () => refusal('PAYMENT_NOT_FOUND', `order ${orderId} has no payment`));
      await products.getProduct({ productId: 'beans' });
      return { payment: { orderId } };
    },
  };
}
