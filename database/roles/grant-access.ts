import { type Random, refusal, systemRandom } from '#kit';

import { sqlState } from '../database-errors.ts';
import { readDatabaseUser } from '../database-url.ts';
import { quoteSchema } from '../identifiers.ts';
import { type MigrationComponent, versionTable } from '../migration-files.ts';
import { withConnection } from '../one-connection.ts';
import { putRoles } from './ensure-roles.ts';
import { GRANT_FUNCTIONS, GRANT_TABLES, TELL_GRANT } from './grant-sql.ts';

/**
 * What an application's role may do in a schema. `tables`: read and write every table, but only read those that hold the
 * migrations' versions. `functions`: read every table, and change them by nothing but the schema's SECURITY DEFINER functions.
 */
export type SchemaAccess = 'tables' | 'functions';

export interface GrantOptions {
  /** Of the role that owns the tables. */
  readonly ownerUrl: string;
  /** Of the role that works on them; its user and password are taken from here, and nothing is connected to. */
  readonly url: string;
  readonly schema: string;
  readonly components: readonly MigrationComponent[];
  readonly access: SchemaAccess;
}

const INSUFFICIENT_PRIVILEGE = '42501';

/** Whether one role does everything, which needs no grants. */
export function isOneRole(url: string, ownerUrl: string): boolean {
  return url === ownerUrl || readDatabaseUser(url).name === readDatabaseUser(ownerUrl).name;
}

/**
 * Makes the role of `url` where it is missing, gives it its password, and lets it into a schema: afterwards it has there what
 * `access` says, and nothing else. In one transaction, so that a role at work never misses anything. Tables that are added
 * later are covered, too, but for versions tables: run it after each migration. See `ensureRoles` for what it throws.
 */
export async function grantAccess({ ownerUrl, url, schema, components, access }: GrantOptions, random: Random = systemRandom): Promise<void> {
  quoteSchema(schema);
  const role = readDatabaseUser(url);
  await withConnection(ownerUrl, 'mesh roles', async (client) => {
    await putRoles(client, [role], random);
    await client.query(TELL_GRANT, [schema, role.name, JSON.stringify(components.map(versionTable))]);
    try {
      await client.query(access === 'tables' ? GRANT_TABLES : GRANT_FUNCTIONS);
    } catch (thrown) {
      if (sqlState(thrown) !== INSUFFICIENT_PRIVILEGE) throw thrown;
      const cause = thrown instanceof Error ? thrown.message : String(thrown);
      const sentence = `the owner may not let "${role.name}" into schema "${schema}" (${cause}); everything in it has to be the owner's: see REASSIGN OWNED`;
      throw refusal('DATABASE_UNAVAILABLE', sentence, { cause: thrown });
    }
  });
}
