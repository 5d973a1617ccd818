import type { DescMessage } from '@bufbuild/protobuf';

import { type Event, newEvent } from '#events';
import { type Clock, newId, type Random, toProtoMoney } from '#kit';
import {
  OrderCancellationBegunSchema,
  OrderCancellationRefusedSchema,
  OrderCancelledSchema,
  OrderConfirmedSchema,
  OrderFailedSchema,
  OrderPlacedSchema,
} from '#proto/shop/order/v1/order_events_pb.js';

import type { Order } from './domain.ts';

/** Published: what happened to an order. Consumed: nothing. */
const CONTRACTS = {
  placed: OrderPlacedSchema,
  confirmed: OrderConfirmedSchema,
  failed: OrderFailedSchema,
  cancellationBegun: OrderCancellationBegunSchema,
  cancellationRefused: OrderCancellationRefusedSchema,
  cancelled: OrderCancelledSchema,
} as const satisfies Record<string, DescMessage>;

export interface EventSource {
  readonly clock: Clock;
  readonly random: Random;
}

/** The event that announces what happened to an order. */
export function orderEvent(
  { clock, random }: EventSource,
  what: keyof typeof CONTRACTS,
  order: Pick<Order, 'orderId' | 'userId' | 'total'> & Partial<Pick<Order, 'trackingNumber'>>,
  reason = '',
): Event {
  const { orderId, userId, total, trackingNumber = '' } = order;
  const head = { id: newId(clock, random), source: 'order', subject: orderId, time: new Date(clock.now()) };
  // A contract takes of these what it has.
  const message: Record<string, unknown> = { orderId, userId, total: toProtoMoney(total), reason, trackingNumber };
  return newEvent<DescMessage>(CONTRACTS[what], message, head);
}
