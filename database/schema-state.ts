import { type MeshError, refusal } from '#kit';

import { listMigrations, type MigrationComponent, versionTable } from './migration-files.ts';
import { requireSupportedServer } from './server-version.ts';
import type { Queryable, Statement } from './statement.ts';

/** How far a component's tables are. */
export type ComponentState =
  | { readonly kind: 'up-to-date'; readonly component: string }
  | { readonly kind: 'outdated'; readonly component: string; readonly pending: readonly string[] }
  | {
      readonly kind: 'newer';
      readonly component: string;
      readonly databaseVersion: number;
      readonly codeVersion: number;
    };

/** The worst of its components: `newer` before `outdated` before `up-to-date`. */
export type SchemaState = ComponentState['kind'];

const findTables: Statement = {
  name: 'migration.tables',
  text: 'SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL',
};

/**
 * Compares the version tables in the schema of `database` with the files. A few short
 * reads and no migration library, so that a process may ask each time it starts.
 * Throws INVALID_SETTING for a server that is too old.
 */
export async function schemaState(
  database: Queryable,
  components: readonly MigrationComponent[],
): Promise<{ state: SchemaState; components: ComponentState[] }> {
  await requireSupportedServer(database);
  const tables = await database.query<{ name: string }>(findTables, [components.map(versionTable)]);
  const present = new Set(tables.map(({ name }) => name));
  const states: ComponentState[] = [];
  for (const component of components) {
    const version = present.has(versionTable(component)) ? await databaseVersion(database, component) : 0;
    states.push(await compare(component, version));
  }
  return { state: worst(states), components: states };
}

/** Why a process must not work on this schema, as SCHEMA_OUTDATED; undefined when it may. */
export function schemaRefusal(schema: string, components: readonly ComponentState[]): MeshError | undefined {
  const newer = components.find((component) => component.kind === 'newer');
  if (newer) {
    const { component, databaseVersion: have, codeVersion: know } = newer;
    const versions = `has ${component} tables of version ${have}, and this program knows ${know}`;
    return refusal('SCHEMA_OUTDATED', `schema "${schema}" ${versions}; run the newer program that made them`);
  }
  const outdated = components.find((component) => component.kind === 'outdated');
  if (!outdated) return undefined;
  const { component, pending } = outdated;
  const what = `migrations of ${component} (${pending.join(', ')})`;
  return refusal('SCHEMA_OUTDATED', `schema "${schema}" lacks ${what}; run \`mesh migrate\``);
}

async function databaseVersion(database: Queryable, component: MigrationComponent): Promise<number> {
  const table = versionTable(component);
  // The library makes its version column int8.
  const text = `SELECT max(version)::int AS version FROM "${table}"`;
  const rows = await database.query<{ version: number | null }>({ name: `migration.version.${table}`, text }, []);
  return rows[0]?.version ?? 0;
}

async function compare(component: MigrationComponent, version: number): Promise<ComponentState> {
  const files = await listMigrations(component);
  const pending = files.slice(version).map(({ file }) => file);
  if (version > files.length) {
    return { kind: 'newer', component: component.name, databaseVersion: version, codeVersion: files.length };
  }
  if (pending.length > 0) return { kind: 'outdated', component: component.name, pending };
  return { kind: 'up-to-date', component: component.name };
}

function worst(states: readonly ComponentState[]): SchemaState {
  const order: readonly SchemaState[] = ['newer', 'outdated'];
  return order.find((kind) => states.some((state) => state.kind === kind)) ?? 'up-to-date';
}
