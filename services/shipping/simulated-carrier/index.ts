import { join } from 'node:path';

import type { MigrationComponent } from '#database';

export { createSimulatedCarrier, type SimulatedCarrierOptions } from './simulated-carrier.ts';
export { type CarrierBookEntry, readCarrierBook } from './carrier-book.ts';

/** The carrier's own tables, versioned by themselves. They stand in shipping's schema, and no statement of shipping's reads them. */
export const simulatedCarrierMigrations: MigrationComponent = {
  name: 'simulated_carrier',
  directory: join(import.meta.dirname, 'migrations'),
};
