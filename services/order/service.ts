import { join } from 'node:path';

import { idempotencyMigrations } from '#database';
import { eventsMigrations } from '#events';
import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';
import { createSagaRunner, sagaMigrations } from '#saga';
import { defineService } from '#service-module';

import { orderHandlers } from './handlers.ts';
import { placeOrderSaga } from './saga.ts';
import { orderSettings } from './settings.ts';
import { createOrderWatcher } from './watching.ts';

export const service = defineService({
  name: 'order',
  contract: OrderService,
  dependencies: { users: UserService, inventory: InventoryService, payment: PaymentService },
  settings: orderSettings,
  migrations: [
    { name: 'order', directory: join(import.meta.dirname, 'migrations') },
    sagaMigrations,
    eventsMigrations,
    idempotencyMigrations,
  ],
  build({ clients, database, settings, clock, random, log, tracer, sagaHooks }) {
    const sagas = createSagaRunner(placeOrderSaga({ ...clients, clock, random }), {
      database,
      clock,
      random,
      log,
      tracer,
      hooks: sagaHooks,
      leaseMs: settings.MESH_SAGA_LEASE,
    });
    const watcher = createOrderWatcher(database, clock);
    return {
      handlers: orderHandlers({ database, users: clients.users, sagas, watcher, clock, random }),
      start: sagas.start,
      async stop() {
        await sagas.stop();
        await watcher.stop();
      },
    };
  },
});
