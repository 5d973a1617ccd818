import { join } from 'node:path';

import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { defineService } from '#service-module';

import { inventoryHandlers } from './handlers.ts';

export const service = defineService({
  name: 'inventory',
  contract: InventoryService,
  dependencies: {},
  settings: {},
  migrations: [{ name: 'inventory', directory: join(import.meta.dirname, 'migrations') }],
  build: ({ database }) => ({ handlers: inventoryHandlers(database) }),
});
