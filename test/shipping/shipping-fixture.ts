import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { create } from '@bufbuild/protobuf';
import { trace } from '@opentelemetry/api';

import { type Database, type DatabaseOptions, migrate } from '#database';
import { eventsMigrations } from '#events';
import { silentLog, systemClock, systemRandom } from '#kit';
import type { Client } from '#mesh';
import { GetOrderResponseSchema, type OrderService, OrderState } from '#proto/shop/order/v1/order_pb.js';

import type { Carrier } from '../../services/shipping/carrier.ts';
import type { Consignment, Shipment } from '../../services/shipping/domain.ts';
import type { Shipping } from '../../services/shipping/scheduling.ts';
import { createShipmentWriter } from '../../services/shipping/shipment-writer.ts';
import { createSimulatedCarrier, simulatedCarrierMigrations } from '../../services/shipping/simulated-carrier/index.ts';
import { findShipmentOfOrder } from '../../services/shipping/store.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase } from '../database/postgres-fixture.ts';
import { createFakeCarrier, type FakeCarrier } from './fake-carrier.ts';

/** Shipping on real tables, with a carrier and an order service in the test's hands. */
export interface ShippingFixture {
  readonly shipping: Shipping;
  readonly database: Database;
  /** One more on the same tables, with connections of its own and, as in a shop, the simulated carrier. */
  addInstance(options?: Pick<DatabaseOptions, 'hooks' | 'clock'>): Shipping;
  readonly carrier: FakeCarrier;
  /** What the order service says from now on; until then every order is CONFIRMED. */
  orderIs(answer: () => Promise<OrderState>): void;
  shipmentOf(orderId: string): Promise<Shipment | undefined>;
  /** What was announced of an order, in order. */
  eventsOf(orderId: string): Promise<Announced[]>;
  /** Everything as it was at the start. */
  reset(): void;
  remove(): Promise<void>;
}

/** An event in the outbox. */
export interface Announced {
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

const OUTBOX = { name: 'test.outbox', text: `SELECT type, payload AS data FROM outbox WHERE key = $1 ORDER BY position` };

const given = { clock: systemClock, random: systemRandom, tracer: trace.getTracer('test') };

export async function startShippingFixture(): Promise<ShippingFixture> {
  const place = await createTestDatabase();
  const shippingMigrations = { name: 'shipping', directory: join(import.meta.dirname, '..', '..', 'services', 'shipping', 'migrations') };
  const components = [shippingMigrations, eventsMigrations, simulatedCarrierMigrations];
  await migrate({ url: place.url, schema: 'shipping', components, log: silentLog });
  const opened: Database[] = [];
  const open = (options: Pick<DatabaseOptions, 'hooks' | 'clock'> = {}): Database => {
    const database = openTestDatabase({ url: place.url, schema: 'shipping', maxConnections: 10, ...options });
    opened.push(database);
    return database;
  };
  const database = open();
  const carrier = createFakeCarrier();
  const confirmed = async (): Promise<OrderState> => OrderState.CONFIRMED;
  let answer = confirmed;
  const getOrder: Client<typeof OrderService>['getOrder'] = async () => create(GetOrderResponseSchema, { order: { state: await answer() } });
  // Shipping asks for nothing else.
  const orders = { getOrder } as Client<typeof OrderService>;
  const shippingOf = (on: Database, by: Carrier): Shipping => ({
    ...{ database: on, carrier: by, orders, ...given },
    writer: createShipmentWriter({ database: on, ...given }),
  });
  return {
    shipping: shippingOf(database, carrier),
    database,
    addInstance(options) {
      const own = open(options);
      return shippingOf(own, createSimulatedCarrier({ database: own, ...given }));
    },
    carrier,
    orderIs: (wanted) => void (answer = wanted),
    shipmentOf: (orderId) => findShipmentOfOrder(database, orderId),
    eventsOf: (orderId) => database.query<Announced>(OUTBOX, [orderId]),
    reset() {
      answer = confirmed;
      carrier.on = {};
      carrier.refuse(undefined);
    },
    async remove() {
      await Promise.all(opened.map((each) => each.stop()));
      await place.drop();
    },
  };
}

/** Two pieces for a new order, to be varied. */
export function newConsignment(changes: Partial<Consignment> = {}): Consignment {
  return {
    orderId: randomUUID(),
    address: { recipient: 'Buyer', street: 'Main Street 1', city: 'Berlin', postalCode: '10115', countryCode: 'DE' },
    lines: [{ productId: 'grinder', quantity: 2 }],
    ...changes,
  };
}

/** No caller gives up in the tests that do not say so. */
export const patience = (): AbortSignal => new AbortController().signal;
