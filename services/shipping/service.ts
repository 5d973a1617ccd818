import { join } from 'node:path';

import { eventsMigrations } from '#events';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { ShippingService } from '#proto/shop/shipping/v1/shipping_pb.js';
import { defineService } from '#service-module';

import { shippingHandlers } from './handlers.ts';
import { createShipmentWriter } from './shipment-writer.ts';
import { createSimulatedCarrier, simulatedCarrierMigrations } from './simulated-carrier/index.ts';

export const service = defineService({
  name: 'shipping',
  contract: ShippingService,
  dependencies: { orders: OrderService },
  settings: {},
  migrations: [{ name: 'shipping', directory: join(import.meta.dirname, 'migrations') }, eventsMigrations, simulatedCarrierMigrations],
  build({ clients, database, clock, random, tracer }) {
    const carrier = createSimulatedCarrier({ database, clock, random, tracer });
    const writer = createShipmentWriter({ database, tracer, clock });
    return { handlers: shippingHandlers({ database, writer, carrier, orders: clients.orders, clock, random }) };
  },
});
