import type { Tracer } from '@opentelemetry/api';

import { createReadGroup, type Database } from '#database';
import type { Clock } from '#kit';

import type { Order } from './domain.ts';
import { findOrders, requireFound } from './store.ts';

export interface OrderReaderOptions {
  readonly database: Database;
  readonly tracer: Tracer;
  readonly clock: Clock;
}

/**
 * Reads an order as it is when it is asked for, or later. Those whose sagas have ended in one commit are asked for at the same
 * moment; so orders are read in groups, as they are written. ORDER_NOT_FOUND.
 */
export function createOrderReader({ database, tracer, clock }: OrderReaderOptions): (orderId: string) => Promise<Order> {
  const readOrders = createReadGroup({ name: 'order.find', tracer, clock }, (orderIds) => findOrders(database, orderIds));
  return async (orderId) => {
    const [order] = await readOrders([orderId]);
    return requireFound(order, orderId);
  };
}
