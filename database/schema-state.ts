import { type MeshError, refusal } from '#kit';

import { listMigrations, migrationChecksum, type MigrationComponent, type MigrationFile, versionTable } from './migration-files.ts';
import { requireSupportedServer } from './server-version.ts';
import type { Queryable, Statement } from './statement.ts';

/** How far a component's tables are. */
export type ComponentState =
  | { readonly kind: 'up-to-date'; readonly component: string }
  | { readonly kind: 'outdated'; readonly component: string; readonly pending: readonly string[] }
  /** Files that are not what was applied: the tables are those of another edition, whatever their version says. */
  | { readonly kind: 'changed'; readonly component: string; readonly files: readonly string[] }
  | {
      readonly kind: 'newer';
      readonly component: string;
      readonly databaseVersion: number;
      readonly codeVersion: number;
    };

/** The worst of its components: `newer` before `changed` before `outdated` before `up-to-date`. */
export type SchemaState = ComponentState['kind'];

const findTables: Statement = {
  name: 'migration.tables',
  text: 'SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL',
};

/** An entry of a version table. */
interface Applied {
  readonly version: number;
  /** Null where somebody has taken it out to get past a check; the library, too, asks no further then. */
  readonly md5: string | null;
}

/**
 * Compares the version tables in the schema of `database` with the files, and with
 * their checksums. A few short reads and no migration library, so that a process may ask
 * each time it starts. Throws INVALID_SETTING for a server that is too old.
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
    const applied = present.has(versionTable(component)) ? await appliedTo(database, component) : [];
    states.push(await compare(component, applied));
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
  const changed = components.find((component) => component.kind === 'changed');
  if (changed) {
    const files = changed.files.map((file) => `${changed.component}/${file}`).join(', ');
    const what = `was made by another edition of ${files}, changed after it had been applied`;
    return refusal('SCHEMA_OUTDATED', `schema "${schema}" ${what}; bring that edition back and put the change into a new file`);
  }
  const outdated = components.find((component) => component.kind === 'outdated');
  if (!outdated) return undefined;
  const { component, pending } = outdated;
  const what = `migrations of ${component} (${pending.join(', ')})`;
  return refusal('SCHEMA_OUTDATED', `schema "${schema}" lacks ${what}; run \`mesh migrate\``);
}

async function appliedTo(database: Queryable, component: MigrationComponent): Promise<Applied[]> {
  const table = versionTable(component);
  // The library makes its version column int8.
  const text = `SELECT version::int AS version, md5 FROM "${table}"`;
  return database.query<Applied>({ name: `migration.applied.${table}`, text }, []);
}

async function compare(component: MigrationComponent, applied: readonly Applied[]): Promise<ComponentState> {
  const files = await listMigrations(component);
  const version = Math.max(0, ...applied.map((entry) => entry.version));
  const pending = files.slice(version).map(({ file }) => file);
  if (version > files.length) {
    return { kind: 'newer', component: component.name, databaseVersion: version, codeVersion: files.length };
  }
  const changed = await changedFiles(component, files, applied);
  if (changed.length > 0) return { kind: 'changed', component: component.name, files: changed };
  if (pending.length > 0) return { kind: 'outdated', component: component.name, pending };
  return { kind: 'up-to-date', component: component.name };
}

async function changedFiles(
  component: MigrationComponent,
  files: readonly MigrationFile[],
  applied: readonly Applied[],
): Promise<string[]> {
  const checksums = new Map(applied.map(({ version, md5 }) => [version, md5]));
  const changed: string[] = [];
  for (const file of files) {
    const checksum = checksums.get(file.version);
    if (checksum && checksum !== (await migrationChecksum(component, file))) changed.push(file.file);
  }
  return changed;
}

function worst(states: readonly ComponentState[]): SchemaState {
  const order: readonly SchemaState[] = ['newer', 'changed', 'outdated'];
  return order.find((kind) => states.some((state) => state.kind === kind)) ?? 'up-to-date';
}
