import type { Tracer } from '@opentelemetry/api';

import { createGroupCommit, type Database } from '#database';
import type { Clock } from '#kit';

import type { Reservation, ReserveOutcome } from './domain.ts';
import { reserveAll, type Wanted } from './reserve.ts';
import { commitReservations, openReleased, releaseReservations, restockReservations } from './transition.ts';

/**
 * What an order writes here. Under load a statement and its commit are shared by as many orders as come during the one
 * before, and the stock of a product that many of them want is changed once.
 */
export interface ReservationWriter {
  /** Sets the goods of an order aside, all or none. */
  reserve(wanted: Wanted): Promise<ReserveOutcome | undefined>;
  /** Sells them. The reservation as it is now; undefined when there is none. */
  commit(orderId: string): Promise<Reservation | undefined>;
  /** Gives them back. The reservation as it is now; where there was none, a RELEASED one, so that a late Reserve is refused. */
  release(orderId: string): Promise<Reservation | undefined>;
  /** Takes them back after they were sold. The reservation as it is now; undefined when there is none. */
  restock(orderId: string): Promise<Reservation | undefined>;
}

export interface ReservationWriterOptions {
  readonly database: Database;
  readonly tracer: Tracer;
  readonly clock: Clock;
  /** How long a reservation holds. */
  readonly ttlMs: number;
}

export function createReservationWriter({ database, tracer, clock, ttlMs }: ReservationWriterOptions): ReservationWriter {
  const each = (name: string, write: (orderIds: readonly string[]) => Promise<ReadonlyMap<string, Reservation>>) =>
    createGroupCommit<string, Reservation | undefined>({ name: `inventory.${name}`, tracer, clock }, async (orderIds) => {
      const reservations = await write(orderIds);
      return orderIds.map((orderId) => reservations.get(orderId));
    });
  return {
    reserve: createGroupCommit<Wanted, ReserveOutcome | undefined>({ name: 'inventory.reserve', tracer, clock }, (orders) => reserveAll(database, orders, ttlMs)),
    commit: each('commit', (orderIds) => commitReservations(database, orderIds)),
    release: each('release', (orderIds) => releaseAll(database, orderIds, ttlMs)),
    restock: each('restock', (orderIds) => restockReservations(database, orderIds)),
  };
}

async function releaseAll(database: Database, orderIds: readonly string[], ttlMs: number): Promise<Map<string, Reservation>> {
  const released = await releaseReservations(database, orderIds);
  const isOpen = (orderId: string): boolean => !released.has(orderId);
  const unreserved = orderIds.filter(isOpen);
  if (unreserved.length > 0) for (const [orderId, opened] of await openReleased(database, unreserved, ttlMs)) released.set(orderId, opened);
  // Their Reserve was on its way when the first statement looked, and the second has waited for it.
  const late = unreserved.filter(isOpen);
  if (late.length > 0) for (const [orderId, reservation] of await releaseReservations(database, late)) released.set(orderId, reservation);
  return released;
}
