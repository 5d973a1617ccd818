import type { Event } from '#events';

import type { Order, OrderState } from './domain.ts';

/** Published: what happened to an order. Consumed: nothing. */
const TYPES: Readonly<Record<OrderState, string>> = {
  PENDING: 'shop.order.v1.OrderPlaced',
  CONFIRMED: 'shop.order.v1.OrderConfirmed',
  FAILED: 'shop.order.v1.OrderFailed',
  CANCELLED: 'shop.order.v1.OrderCancelled',
};

/** The event that announces an order's new state. */
export function orderEvent(eventId: string, order: Pick<Order, 'orderId' | 'userId' | 'state' | 'reason' | 'total'>): Event {
  return {
    eventId,
    type: TYPES[order.state],
    key: order.orderId,
    payload: {
      orderId: order.orderId,
      userId: order.userId,
      reason: order.reason,
      totalMinor: order.total.minor.toString(),
      currency: order.total.currency,
    },
  };
}
