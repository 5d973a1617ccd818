import type { Tracer } from '@opentelemetry/api';

import { type Database, type DatabaseHooks, openDatabase } from '#database';
import { type Log, refusal } from '#kit';
import type { ModuleName } from '#modules';
import type { ServiceModule } from '#service-module';

import { databaseSetting, type Resolved } from '../settings.ts';
import { migrateTables, type Migrator, requireTables, type Tables } from './tables.ts';

interface Given {
  readonly settings: Resolved;
  readonly tracer: Tracer;
  readonly log: Log;
  readonly hooks: DatabaseHooks;
  /** How old tables are brought up to date. Default: by this process, as their owner. */
  readonly migrator?: Migrator;
}

/** Opens a service's schema with its tables up to date, or refuses with SCHEMA_OUTDATED: old ones where MESH_MIGRATE is off, others always. */
export async function openServiceDatabase(name: ModuleName, module: ServiceModule, { settings, tracer, log, hooks, migrator = migrateTables }: Given): Promise<Database> {
  const tables = tablesOf(name, module, settings);
  const database = openDatabase({
    url: tables.url,
    schema: name,
    maxConnections: settings.values.MESH_DATABASE_CONNECTIONS,
    applicationName: `mesh ${name}`,
    tracer,
    log,
    hooks,
  });
  try {
    await requireTables(database, tables, settings.values.MESH_MIGRATE ? migrator : undefined, log);
  } catch (thrown) {
    await database.stop();
    throw thrown;
  }
  return database;
}

/** Brings one service's tables up to date, and lets its role in; returns the files applied. */
export async function migrateService(name: ModuleName, module: ServiceModule, settings: Resolved, log: Log): Promise<string[]> {
  return migrateTables(tablesOf(name, module, settings), log);
}

function tablesOf(name: ModuleName, { migrations }: ServiceModule, settings: Resolved): Tables {
  const url = settings.databaseUrls[name];
  if (url) return { url, ownerUrl: settings.ownerUrls[name], schema: name, components: migrations, access: 'tables' };
  throw refusal(
    'INVALID_SETTING',
    `${name} has no database: set DATABASE_URL, or ${databaseSetting(name)} for ${name} alone, or use \`mesh up\`, which brings one`,
  );
}
