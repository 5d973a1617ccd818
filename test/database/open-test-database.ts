import { trace } from '@opentelemetry/api';

import { type Database, type DatabaseOptions, openDatabase } from '#database';
import { silentLog } from '#kit';

/** A database with what most tests do not care about filled in. */
export function openTestDatabase(options: Pick<DatabaseOptions, 'url'> & Partial<DatabaseOptions>): Database {
  return openDatabase({
    schema: 'shop',
    maxConnections: 4,
    applicationName: 'test',
    tracer: trace.getTracer('test'),
    log: silentLog,
    ...options,
  });
}
