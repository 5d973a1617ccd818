import type { Tracer } from '@opentelemetry/api';

import {
  type ComponentState,
  type Database,
  type DatabaseHooks,
  migrate,
  openDatabase,
  schemaRefusal,
  type SchemaState,
  schemaState,
} from '#database';
import { type Log, MeshError, refusal } from '#kit';
import type { ModuleName } from '#modules';
import type { ServiceModule } from '#service-module';

import { databaseSetting, type Resolved } from '../settings.ts';

interface Given {
  readonly settings: Resolved;
  readonly tracer: Tracer;
  readonly log: Log;
  readonly hooks: DatabaseHooks;
}

/** Opens a service's schema with its tables up to date, or refuses with SCHEMA_OUTDATED: old ones where MESH_MIGRATE is off, others always. */
export async function openServiceDatabase(name: ModuleName, module: ServiceModule, { settings, tracer, log, hooks }: Given): Promise<Database> {
  const url = databaseUrl(name, settings);
  const database = openDatabase({
    url,
    schema: name,
    maxConnections: settings.values.MESH_DATABASE_CONNECTIONS,
    applicationName: `mesh ${name}`,
    tracer,
    log,
    hooks,
  });
  try {
    const { state, components } = await schemaOf(database, module);
    if (state === 'outdated' && settings.values.MESH_MIGRATE) await migrateService(name, module, settings, log);
    else if (state !== 'up-to-date') throw schemaRefusal(name, components);
  } catch (thrown) {
    await database.stop();
    throw thrown;
  }
  return database;
}

/** The state of the tables; a database that does not exist yet has none of them. */
async function schemaOf(database: Database, module: ServiceModule): Promise<{ state: SchemaState; components: ComponentState[] }> {
  try {
    return await schemaState(database, module.migrations);
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.metadata['trouble'] !== 'missing') throw thrown;
    const components = module.migrations.map(({ name }): ComponentState => ({ kind: 'outdated', component: name, pending: ['all'] }));
    return { state: 'outdated', components };
  }
}

/** Brings one service's tables up to date; returns the files applied. */
export function migrateService(name: ModuleName, module: ServiceModule, settings: Resolved, log: Log): Promise<string[]> {
  return migrate({ url: databaseUrl(name, settings), schema: name, components: module.migrations, log, mayCreateDatabase: true });
}

function databaseUrl(name: ModuleName, settings: Resolved): string {
  const url = settings.databaseUrls[name];
  if (url) return url;
  throw refusal(
    'INVALID_SETTING',
    `${name} has no database: set DATABASE_URL, or ${databaseSetting(name)} for ${name} alone, or use \`mesh up\`, which brings one`,
  );
}
