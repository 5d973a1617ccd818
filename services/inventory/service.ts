import { join } from 'node:path';

import { idempotencyMigrations } from '#database';
import { refusal } from '#kit';
import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { defineService } from '#service-module';

import { createExpirySweep } from './expiry.ts';
import { inventoryHandlers } from './handlers.ts';
import { createReservationWriter } from './reservation-writer.ts';
import { inventorySettings } from './settings.ts';

export const service = defineService({
  name: 'inventory',
  contract: InventoryService,
  dependencies: {},
  settings: inventorySettings,
  migrations: [{ name: 'inventory', directory: join(import.meta.dirname, 'migrations') }, idempotencyMigrations],
  build({ database, settings, clock, log, tracer }) {
    const { MESH_RESERVATION_TTL: ttlMs } = settings;
    if (ttlMs === 0) throw refusal('INVALID_SETTING', 'MESH_RESERVATION_TTL is 0, so no order could ever be confirmed; leave it out for 15m');
    const sweep = createExpirySweep(database, clock, log);
    const writer = createReservationWriter({ database, tracer, clock, ttlMs });
    return { handlers: inventoryHandlers(database, writer), start: sweep.start, stop: sweep.stop };
  },
});
