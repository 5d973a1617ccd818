import { join } from 'node:path';

import { idempotencyMigrations } from '#database';
import { ProductService } from '#proto/shop/product/v1/product_pb.js';
import { defineService } from '#service-module';

import { productHandlers } from './handlers.ts';

export const service = defineService({
  name: 'product',
  contract: ProductService,
  dependencies: {},
  settings: {},
  migrations: [{ name: 'product', directory: join(import.meta.dirname, 'migrations') }, idempotencyMigrations],
  build: (given) => ({ handlers: productHandlers(given) }),
});
