import pg from 'pg';

import { type Clock, refusal, systemClock } from '#kit';

import { sqlState } from './database-errors.ts';
import { readDatabaseUrl, withDatabase } from './database-url.ts';
import { asQueryable, withConnection } from './one-connection.ts';
import { requireSupportedServer } from './server-version.ts';

const DUPLICATE_DATABASE = '42P04';
const UNIQUE_VIOLATION = '23505';
const OBJECT_IN_USE = '55006';
const INSUFFICIENT_PRIVILEGE = '42501';

const ATTEMPTS = 5;
const PAUSE_MS = 50;

/**
 * Creates the database that `url` names when the server lacks it; several processes
 * may do so at once. The user needs CREATEDB. It is closed to other roles: those that work
 * on its tables are let in by `grantAccess`. Returns whether it was created here.
 * Throws INVALID_SETTING for a server that is too old.
 */
export async function ensureDatabase(url: string, clock: Clock = systemClock): Promise<boolean> {
  const { database } = readDatabaseUrl(url);
  return withConnection(withDatabase(url, 'postgres'), 'mesh create database', async (client) => {
    await requireSupportedServer(asQueryable(client));
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    return rowCount === 0 && create(client, database, clock);
  });
}

async function create(client: pg.Client, database: string, clock: Clock): Promise<boolean> {
  const name = pg.escapeIdentifier(database);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(`CREATE DATABASE ${name}`);
      // By default everybody who has a role on the server may enter, and make temporary tables.
      await client.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
      return true;
    } catch (thrown) {
      const state = sqlState(thrown);
      // Another process was faster. Before it commits that shows as a violation of the catalogue's index.
      if (state === DUPLICATE_DATABASE || state === UNIQUE_VIOLATION) return false;
      if (state === INSUFFICIENT_PRIVILEGE) {
        const sentence = `the user in DATABASE_URL may not create databases; create "${database}" by hand`;
        throw refusal('DATABASE_UNAVAILABLE', sentence, { cause: thrown });
      }
      // The template is copied for somebody else right now.
      if (state !== OBJECT_IN_USE || attempt === ATTEMPTS) throw thrown;
    }
    await clock.sleep(PAUSE_MS);
  }
}
