import { join } from 'node:path';

import type { MigrationComponent } from '#database';

export { appendEvent, type Event } from './outbox.ts';

/** Where this folder's tables come from; goes into the schema of each service that uses them. */
export const eventsMigrations: MigrationComponent = { name: 'events', directory: join(import.meta.dirname, 'migrations') };
