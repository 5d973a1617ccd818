import { join } from 'node:path';

import { type Database, type DatabaseHooks, idempotencyMigrations, migrate } from '#database';
import { eventsMigrations } from '#events';
import { silentLog } from '#kit';
import { sagaMigrations } from '#saga';

import type { OrderState } from '../../services/order/domain.ts';
import { insertOrders, moveOrder, type NewOrder } from '../../services/order/store.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase } from '../database/postgres-fixture.ts';

const MIGRATIONS = { name: 'order', directory: join(import.meta.dirname, '..', '..', 'services', 'order', 'migrations') };

/** The order service's tables, with nobody to move its orders but the test. */
export interface OrdersFixture {
  readonly url: string;
  readonly database: Database;
  /** Brings a new order to a state on the way that leads there, and returns its id. */
  orderThatIs(state: OrderState): Promise<string>;
  stateOf(orderId: string): Promise<string | undefined>;
  run(text: string, ...values: unknown[]): Promise<object[]>;
  stop(): Promise<void>;
}

/** The states on the way to each one. */
const WAYS: Readonly<Record<OrderState, readonly OrderState[]>> = {
  PENDING: [],
  CONFIRMED: ['CONFIRMED'],
  FAILED: ['FAILED'],
  CANCELLING: ['CONFIRMED', 'CANCELLING'],
  CANCELLED: ['CONFIRMED', 'CANCELLING', 'CANCELLED'],
};

export async function startOrders(hooks: DatabaseHooks = {}): Promise<OrdersFixture> {
  const test = await createTestDatabase();
  await migrate({ url: test.url, schema: 'shop', components: [MIGRATIONS, sagaMigrations, eventsMigrations, idempotencyMigrations], log: silentLog });
  const database = openTestDatabase({ url: test.url, hooks, maxConnections: 10 });
  let orders = 0;
  let statements = 0;
  // Each text is a statement of its own to the connection.
  const run = (text: string, ...values: unknown[]): Promise<object[]> => database.query({ name: `test.order_${(statements += 1)}`, text }, values);
  return {
    url: test.url,
    database,
    run,
    async orderThatIs(state) {
      const orderId = `order-${(orders += 1)}`;
      await database.transaction('test.order', async (tx) => {
        await insertOrders(tx, [orderOf(orderId)]);
        let from: OrderState = 'PENDING';
        for (const to of WAYS[state]) {
          await moveOrder(tx, { orderId, from, to, reason: '' });
          from = to;
        }
      });
      return orderId;
    },
    async stateOf(orderId) {
      const [row] = await database.query<{ state: string }>({ name: 'test.order_state', text: 'SELECT state FROM orders WHERE order_id = $1' }, [orderId]);
      return row?.state;
    },
    async stop() {
      await database.stop();
      await test.drop();
    },
  };
}

/** One that nobody has written yet. */
export function orderOf(orderId: string): NewOrder {
  const unitPrice = { minor: 1_000n, currency: 'EUR' };
  const shippingAddress = { recipient: 'a', street: 'b', city: 'c', postalCode: 'd', countryCode: 'DE' };
  const lines = [{ productId: 'beans', name: 'Beans', quantity: 1, unitPrice }];
  return { orderId, userId: 'buyer', lines, total: unitPrice, paymentMethod: 'pm_card_visa', shippingAddress };
}
