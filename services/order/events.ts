import type { Event } from '#events';

import type { Order } from './domain.ts';

/** Published: what happened to an order. Consumed: nothing. */
const TYPES = {
  placed: 'shop.order.v1.OrderPlaced',
  confirmed: 'shop.order.v1.OrderConfirmed',
  failed: 'shop.order.v1.OrderFailed',
  cancellationBegun: 'shop.order.v1.OrderCancellationBegun',
  /** The parcel was handed over first: the order stays confirmed. */
  cancellationRefused: 'shop.order.v1.OrderCancellationRefused',
  cancelled: 'shop.order.v1.OrderCancelled',
} as const;

/** The event that announces what happened to an order. */
export function orderEvent(eventId: string, what: keyof typeof TYPES, order: Pick<Order, 'orderId' | 'userId' | 'total'>, reason = ''): Event {
  return {
    eventId,
    type: TYPES[what],
    key: order.orderId,
    payload: {
      orderId: order.orderId,
      userId: order.userId,
      reason,
      totalMinor: order.total.minor.toString(),
      currency: order.total.currency,
    },
  };
}
