import { type ComponentState, type Database, migrate, type MigrationComponent, schemaRefusal, type SchemaState, schemaState } from '#database';
import { type Log, MeshError } from '#kit';

/** Tables that a process works on. */
export interface Tables {
  readonly url: string;
  readonly schema: string;
  readonly components: readonly MigrationComponent[];
}

/** Brings tables up to date before a process works on them, or refuses with SCHEMA_OUTDATED: old ones where it may not migrate, others always. */
export async function requireTables(database: Database, tables: Tables, mayMigrate: boolean, log: Log): Promise<void> {
  const { state, components } = await stateOf(database, tables);
  if (state === 'outdated' && mayMigrate) await migrateTables(tables, log);
  else if (state !== 'up-to-date') throw schemaRefusal(tables.schema, components);
}

/** Brings tables up to date, in a database that is made where it is missing; returns the files applied. */
export function migrateTables(tables: Tables, log: Log): Promise<string[]> {
  return migrate({ ...tables, log, mayCreateDatabase: true });
}

/** The state of the tables; a database that does not exist yet has none of them. */
async function stateOf(database: Database, { components }: Tables): Promise<{ state: SchemaState; components: ComponentState[] }> {
  try {
    return await schemaState(database, components);
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.metadata['trouble'] !== 'missing') throw thrown;
    return { state: 'outdated', components: components.map(({ name }): ComponentState => ({ kind: 'outdated', component: name, pending: ['all'] })) };
  }
}
