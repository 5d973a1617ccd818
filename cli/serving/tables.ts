import {
  type ComponentState,
  type Database,
  grantAccess,
  isForbidden,
  isOneRole,
  migrate,
  type MigrationComponent,
  type SchemaAccess,
  schemaRefusal,
  type SchemaState,
  schemaState,
} from '#database';
import { type Log, MeshError } from '#kit';

/** Tables that a process works on. */
export interface Tables {
  /** As the role that works on them. */
  readonly url: string;
  /** As the role that owns them; the same where one role does everything. */
  readonly ownerUrl: string;
  readonly schema: string;
  readonly components: readonly MigrationComponent[];
  /** Of the role that works on them, where it is not their owner. */
  readonly access: SchemaAccess;
}

/** Brings tables up to date; returns the files applied, where that is known here. */
export type Migrator = (tables: Tables, log: Log) => Promise<readonly string[]>;

/**
 * Brings tables up to date before a process works on them, or refuses with SCHEMA_OUTDATED: old ones where it may not migrate,
 * others always. Tables that the role was not let into yet are as good as old.
 *
 * @param migrator undefined where the process may not migrate
 */
export async function requireTables(database: Database, tables: Tables, migrator: Migrator | undefined, log: Log): Promise<void> {
  const { state, components } = await stateOf(database, tables);
  if (state === 'outdated' && migrator) await migrator(tables, log);
  else if (state !== 'up-to-date') throw schemaRefusal(tables.schema, components);
}

/** Brings tables up to date as their owner, in a database that is made where it is missing, and lets in the role that works on them. */
export async function migrateTables(tables: Tables, log: Log): Promise<string[]> {
  const { url, ownerUrl, schema, components } = tables;
  const applied = await migrate({ url: ownerUrl, schema, components, log, mayCreateDatabase: true });
  if (!isOneRole(url, ownerUrl)) await grantAccess(tables);
  return applied;
}

/** The state of the tables; a database that does not exist yet, or that the role was not let into, has none of them. */
async function stateOf(database: Database, { components }: Tables): Promise<{ state: SchemaState; components: ComponentState[] }> {
  try {
    return await schemaState(database, components);
  } catch (thrown) {
    const isMissing = thrown instanceof MeshError && thrown.metadata['trouble'] === 'missing';
    if (!isMissing && !isForbidden(thrown)) throw thrown;
    return { state: 'outdated', components: components.map(({ name }): ComponentState => ({ kind: 'outdated', component: name, pending: ['all'] })) };
  }
}
