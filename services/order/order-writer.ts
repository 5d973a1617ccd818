import type { Tracer } from '@opentelemetry/api';

import { createGroupCommit, type Database, type Transaction } from '#database';
import { appendEvents, type Event } from '#events';
import { type Clock, MeshError } from '#kit';
import { claimResources, type ResourceClaim } from '#mesh';
import type { BegunSaga, PreparedSaga, SagaRunner } from '#saga';

import { insertOrders, type NewOrder } from './store.ts';

/** An order that is to be written once for its request, and what goes with it. Each belongs to the trace of its own call. */
export interface OrderEntry {
  readonly order: NewOrder;
  /** For the order's id. */
  readonly claim: ResourceClaim;
  readonly event: Event;
  readonly saga: PreparedSaga;
}

export interface Placed {
  readonly orderId: string;
  /** The saga to run; undefined when the request had been placed before. */
  readonly saga: BegunSaga | undefined;
}

export interface OrderWriterOptions {
  readonly database: Database;
  readonly sagas: Pick<SagaRunner, 'beginAll'>;
  readonly tracer: Tracer;
  readonly clock: Clock;
}

/** How long orders that are written together wait for somebody else's claim of one of their keys: some commits' time. */
const SHARED_WAIT_MS = 50;

/**
 * Writes orders: key, order, event and saga of each in one transaction, which it shares with those that come during the one
 * before. A key that another process is about to claim is waited for apart from the others, until the deadline of its call.
 */
export function createOrderWriter({ database, sagas, tracer, clock }: OrderWriterOptions): (entry: OrderEntry) => Promise<Placed> {
  const write = (entries: readonly OrderEntry[], maxWaitMs?: number): Promise<(Placed | MeshError)[]> =>
    database.transaction('order.place', (tx) => writeAll(tx, sagas, entries, maxWaitMs));
  const writeTogether = createGroupCommit({ name: 'order.place', tracer, clock }, (entries: readonly OrderEntry[]) => write(entries, SHARED_WAIT_MS));

  return async (entry) => {
    const placed = await writeTogether(entry).catch(async (thrown: unknown) => {
      if (MeshError.from(thrown).reason !== 'DEADLINE_EXCEEDED') throw thrown;
      return (await write([entry]))[0];
    });
    if (placed instanceof MeshError) throw placed;
    // Each entry has an answer, or its transaction has thrown.
    return placed as Placed;
  };
}

async function writeAll(
  tx: Transaction,
  sagas: OrderWriterOptions['sagas'],
  entries: readonly OrderEntry[],
  maxWaitMs: number | undefined,
): Promise<(Placed | MeshError)[]> {
  const ids = await claimResources(tx, entries.map(({ claim }) => claim), maxWaitMs);
  // What was placed before, also by another one of these, has another id.
  const fresh = entries.filter(({ order }, index) => ids[index] === order.orderId);
  await insertOrders(tx, fresh.map(({ order }) => order));
  await appendEvents(tx, fresh.map(({ event }) => event));
  const begun = await sagas.beginAll(tx, fresh.map(({ saga }) => saga));
  const sagaOf = new Map<OrderEntry | undefined, BegunSaga | undefined>(fresh.map((entry, index) => [entry, begun[index]]));
  return ids.map((id, index) => (id instanceof MeshError ? id : { orderId: id, saga: sagaOf.get(entries[index]) }));
}
