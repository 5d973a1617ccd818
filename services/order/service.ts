import { join } from 'node:path';

import { idempotencyMigrations } from '#database';
import { eventsMigrations } from '#events';
import { implement } from '#mesh';
import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { SagaService } from '#proto/shop/order/v1/saga_pb.js';
import { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';
import { ProductService } from '#proto/shop/product/v1/product_pb.js';
import { ShippingService } from '#proto/shop/shipping/v1/shipping_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';
import { createSagaRunner, sagaMigrations } from '#saga';
import { defineService } from '#service-module';

import { createCancelOrderSaga } from './cancel-order-saga.ts';
import { orderHandlers } from './handlers.ts';
import { createOrderReader } from './order-reader.ts';
import { createOrderWriter } from './order-writer.ts';
import { createPlaceOrderSaga } from './place-order-saga.ts';
import { sagaHandlers } from './saga-handlers.ts';
import { orderSettings } from './settings.ts';
import { createOrderWatcher } from './watching.ts';

export const service = defineService({
  name: 'order',
  contract: OrderService,
  operations: SagaService,
  dependencies: { users: UserService, products: ProductService, inventory: InventoryService, payment: PaymentService, shipping: ShippingService },
  settings: orderSettings,
  migrations: [
    { name: 'order', directory: join(import.meta.dirname, 'migrations') },
    sagaMigrations,
    eventsMigrations,
    idempotencyMigrations,
  ],
  build({ clients, database, settings, clock, random, log, tracer, sagaHooks }) {
    const placeOrderSaga = createPlaceOrderSaga({ ...clients, clock, random, log });
    const cancelOrderSaga = createCancelOrderSaga({ ...clients, clock, random, log });
    const definitions = [placeOrderSaga, cancelOrderSaga];
    const times = { leaseMs: settings.MESH_SAGA_LEASE, keepMs: settings.MESH_SAGA_KEEP };
    const sagas = createSagaRunner(definitions, { database, clock, random, log, tracer, hooks: sagaHooks, ...times });
    const watcher = createOrderWatcher(database, clock);
    const readOrder = createOrderReader({ database, tracer, clock });
    const writeOrder = createOrderWriter({ database, sagas, tracer, clock });
    return {
      handlers: orderHandlers({ ...clients, database, sagas, placeOrderSaga, cancelOrderSaga, watcher, readOrder, writeOrder, clock, random }),
      operations: implement(SagaService, sagaHandlers(database, definitions)),
      start: sagas.start,
      async stop() {
        await sagas.stop();
        await watcher.stop();
      },
    };
  },
});
