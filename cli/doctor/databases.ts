import { trace } from '@opentelemetry/api';

import { type Database, openDatabase } from '#database';
import { MeshError, silentLog } from '#kit';

/** For a statement, and for a connection to come about. */
const TIMEOUT_MS = 4_000;

/** Reads a few rows over a connection of its own, and closes it. */
export async function withDatabase<T>(url: string, schema: string, read: (database: Database) => Promise<T>): Promise<T> {
  const database = openDatabase({
    url,
    schema,
    maxConnections: 1,
    applicationName: 'mesh doctor',
    tracer: trace.getTracer('mesh doctor'),
    log: silentLog,
    statementTimeoutMs: TIMEOUT_MS,
    acquireTimeoutMs: TIMEOUT_MS,
  });
  try {
    return await read(database);
  } finally {
    await database.stop();
  }
}

/** As {@link withDatabase}; undefined where the tables cannot be read: the check of the schema says why. */
export async function readTables<T>(url: string, schema: string, read: (database: Database) => Promise<T>): Promise<{ readonly found: T } | undefined> {
  try {
    return { found: await withDatabase(url, schema, read) };
  } catch (thrown) {
    if (thrown instanceof MeshError) return undefined;
    throw thrown;
  }
}
