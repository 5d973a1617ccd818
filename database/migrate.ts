import type { Client } from 'pg';

import { type Log, MeshError, refusal } from '#kit';

import { databaseError, isForbidden, sqlState } from './database-errors.ts';
import { placeOf } from './database-url.ts';
import { ensureDatabase } from './ensure-database.ts';
import { quoteSchema } from './identifiers.ts';
import { listMigrations, type MigrationComponent, versionTable } from './migration-files.ts';
import { asQueryable, withConnection } from './one-connection.ts';
import { runScript, ScriptError } from './run-script.ts';
import { type ComponentState, schemaRefusal, schemaState } from './schema-state.ts';
import { requireSupportedServer } from './server-version.ts';

export interface MigrateOptions {
  readonly url: string;
  /** Created when missing. */
  readonly schema: string;
  /** In the order in which they may refer to each other. */
  readonly components: readonly MigrationComponent[];
  readonly log: Log;
  /** Create the database, too, when the server lacks it. Default false. */
  readonly mayCreateDatabase?: boolean;
}

const LOCK_NOT_AVAILABLE = '55P03';
/** For the lock among migrators and for those of tables: a migration that waits for a table keeps everybody from it. */
const LOCK_TIMEOUT_MS = 30_000;

/**
 * Brings the tables of `components` up to date and returns the files it applied, as
 * `component/file`. Each file runs in a transaction of its own together with its entry
 * in the version table: one that fails leaves nothing behind, and those before it stay.
 * (So no file may hold a COMMIT or a CREATE INDEX CONCURRENTLY.) Processes that migrate
 * at the same time take turns.
 *
 * Throws SCHEMA_OUTDATED when the tables are newer than the files, a file was changed
 * after it had been applied, or the user of `url` may not change them, START_FAILED when a
 * file fails.
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  try {
    return await migrateExisting(options);
  } catch (thrown) {
    if (isForbidden(thrown)) throw notOwner(options.schema, thrown);
    const isMissing = thrown instanceof MeshError && thrown.metadata['trouble'] === 'missing';
    if (!isMissing || !options.mayCreateDatabase) throw thrown;
  }
  await ensureDatabase(options.url);
  return migrateExisting(options);
}

async function migrateExisting({ url, schema, components, log }: MigrateOptions): Promise<string[]> {
  const quoted = quoteSchema(schema);
  return withConnection(url, 'mesh migrate', async (client) => {
    await requireSupportedServer(asQueryable(client));
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await takeTurn(client, schema);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoted}`);
    await client.query(`SET search_path TO ${quoted}`);
    const { components: states } = await schemaState(asQueryable(client), components);
    if (states.some(({ kind }) => kind === 'newer' || kind === 'changed')) throw schemaRefusal(schema, states);
    const applied: string[] = [];
    const migrator = { client, schema, place: placeOf(url) };
    for (const component of components) applied.push(...(await applyPending(migrator, component, states)));
    if (applied.length > 0) log.info({ schema, applied }, 'brought the tables up to date');
    return applied;
  });
}

function notOwner(schema: string, cause: unknown): MeshError {
  const sentence = `the role that DATABASE_URL names may not change schema "${schema}"; run \`mesh migrate\` with DATABASE_OWNER_URL, which names its owner`;
  return refusal('SCHEMA_OUTDATED', sentence, { cause });
}

/** The lock lasts until the connection closes. */
async function takeTurn(client: Client, schema: string): Promise<void> {
  try {
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`shopmesh.migrate.${schema}`]);
  } catch (thrown) {
    if (sqlState(thrown) !== LOCK_NOT_AVAILABLE) throw thrown;
    const since = `for ${LOCK_TIMEOUT_MS / 1000} s`;
    const sentence = `another process has been migrating schema "${schema}" ${since}; wait for it, or end it`;
    throw refusal('DATABASE_UNAVAILABLE', sentence, { cause: thrown });
  }
}

interface Migrator {
  readonly client: Client;
  readonly schema: string;
  readonly place: string;
}

async function applyPending(
  { client, schema, place }: Migrator,
  component: MigrationComponent,
  states: readonly ComponentState[],
): Promise<string[]> {
  const state = states.find((candidate) => candidate.component === component.name);
  if (state?.kind !== 'outdated') return [];
  const postgrator = await createPostgrator(client, schema, component);
  const files = await listMigrations(component);
  const applied: string[] = [];
  for (const { file, version } of files.filter((candidate) => state.pending.includes(candidate.file))) {
    const name = `${component.name}/${file}`;
    try {
      await inTransaction(client, () => postgrator.migrate(String(version)));
    } catch (thrown) {
      throw migrationError(name, thrown, place);
    }
    applied.push(name);
  }
  return applied;
}

async function createPostgrator(client: Client, schema: string, component: MigrationComponent) {
  // Loaded here: a process that finds its tables up to date never needs it.
  const { default: Postgrator } = await import('postgrator');
  return new Postgrator({
    driver: 'pg',
    migrationPattern: `${escapeGlob(component.directory)}/*.do.*.sql`,
    schemaTable: `${schema}.${versionTable(component)}`,
    newline: 'LF',
    execQuery: (text) => client.query(text),
    execSqlScript: (script) => runScript(client, script),
  });
}

async function inTransaction(client: Client, work: () => Promise<unknown>): Promise<void> {
  await client.query('BEGIN');
  try {
    await work();
    await client.query('COMMIT');
  } catch (thrown) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw thrown;
  }
}

function migrationError(file: string, thrown: unknown, place: string): MeshError {
  const cause = thrown instanceof Error ? thrown.message : String(thrown);
  const trouble = databaseError(thrown instanceof ScriptError ? thrown.cause : thrown, place);
  if (trouble.reason !== 'INTERNAL' && trouble.reason !== 'START_FAILED') {
    const { code, reason, metadata } = trouble;
    return new MeshError(code, reason, `migration ${file} was broken off and left nothing behind: ${trouble.message}`, { cause: thrown, metadata });
  }
  return refusal('START_FAILED', `migration ${file} failed and left nothing behind: ${cause}`, { cause: thrown });
}

/** A clone may lie in a folder called `shop [old]`. */
function escapeGlob(path: string): string {
  return path.replace(/[?*()[\]{}!]/g, '[$&]');
}
