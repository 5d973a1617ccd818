import { trace } from '@opentelemetry/api';

import { type Database, openDatabase } from '#database';
import { createLog, type Log, refusal } from '#kit';
import { loadModule, type ModuleName } from '#modules';

import { requireTables } from '../serving/tables.ts';
import { databaseSetting, type Resolved } from '../settings.ts';

/** Enough for one command; services need their connections more. */
const MAX_CONNECTIONS = 1;

/** Opens a service's tables for an operator's command, as their owner. Throws SCHEMA_OUTDATED for tables that this program does not know; it never makes any. */
export async function withServiceTables<T>(service: ModuleName, settings: Resolved, use: (database: Database) => Promise<T>): Promise<T> {
  const log = createLog({ level: 'error' });
  const { migrations: components } = await loadModule(service);
  const url = requireUrl(service, settings);
  const database = open(url, service, log);
  try {
    await requireTables(database, { url, ownerUrl: url, schema: service, components, access: 'tables' }, undefined, log);
    return await use(database);
  } finally {
    await database.stop();
  }
}

function requireUrl(service: ModuleName, { ownerUrls }: Resolved): string {
  const url = ownerUrls[service];
  if (url) return url;
  const how = `start the shop with \`npx mesh up\`, or set DATABASE_URL, or ${databaseSetting(service)} for ${service} alone`;
  throw refusal('INVALID_SETTING', `no shop runs here, and no setting says where the tables of ${service} are; ${how}`);
}

function open(url: string, schema: ModuleName, log: Log): Database {
  return openDatabase({ url, schema, maxConnections: MAX_CONNECTIONS, applicationName: 'mesh events', tracer: trace.getTracer('mesh events'), log });
}
