import { join, sep } from 'node:path';

import { type MigrationComponent } from '#database';
import { EVENT_LOG_SCHEMA } from '#events';
import { type Log, refusal } from '#kit';
import { MODULE_NAMES, type ModuleName } from '#modules';

import { eventLogTables } from '../serving/event-bus.ts';
import { migrateTables, type Tables } from '../serving/tables.ts';
import { databaseSetting, ownerSetting, type Resolved } from '../settings.ts';
import { type Environment, shopEnvironment } from './environment.ts';

/** Tables that a process has found to be old, or closed to it. */
export interface OutdatedTables {
  readonly schema: string;
  readonly components: readonly MigrationComponent[];
}

/** Brings tables up to date for a process with these services. */
export type TablesOwner = (services: readonly ModuleName[], outdated: OutdatedTables) => Promise<void>;

export interface TablesOwnerOptions {
  readonly settings: Resolved;
  /** What leads to the databases that the supervisor has brought. */
  readonly databases: Promise<Environment>;
  readonly log: Log;
}

const PROGRAM = join(import.meta.dirname, '..', '..') + sep;

/**
 * The supervisor's part in migrations: it alone knows the URLs of the tables' owners, so the processes ask it. They get their
 * own tables and the event log's, from files of this program.
 */
export function createTablesOwner({ settings, databases, log }: TablesOwnerOptions): TablesOwner {
  const underWay = new Map<string, Promise<unknown>>();

  return async (services, outdated) => {
    requireOwn(services, outdated);
    const { schema } = outdated;
    // Several processes ask for the event log at once.
    const asked = underWay.get(schema) ?? bringUpToDate(outdated).finally(() => underWay.delete(schema));
    underWay.set(schema, asked);
    await asked;
  };

  async function bringUpToDate(outdated: OutdatedTables): Promise<void> {
    await migrateTables(tablesOf(outdated, shopEnvironment(settings, await databases)), log);
  }
}

function requireOwn(services: readonly ModuleName[], { schema, components }: OutdatedTables): void {
  const isOwn = schema === EVENT_LOG_SCHEMA || services.some((name) => name === schema);
  if (isOwn && components.every(({ directory }) => join(directory).startsWith(PROGRAM))) return;
  throw refusal('INVALID_ARGUMENT', `${services.join(', ')} may not have schema "${schema}" migrated; only its own, by this program's files`);
}

function tablesOf({ schema, components }: OutdatedTables, environment: Environment): Tables {
  const service = MODULE_NAMES.find((name) => name === schema);
  const [urlName, ownerName] = service ? [databaseSetting(service), ownerSetting(service)] : ['MESH_EVENTS_URL', 'MESH_EVENTS_OWNER_URL'];
  const url = environment[urlName] ?? '';
  const ownerUrl = environment[ownerName] ?? url;
  return service ? { url, ownerUrl, schema, components, access: 'tables' } : eventLogTables(url, ownerUrl);
}
