import { refusal } from '#kit';

import type { Queryable, Statement } from './statement.ts';

/**
 * The least major version: the oldest that the Postgres project still mends
 * (https://www.postgresql.org/support/versioning/, until November 2027). Tests run on 18, which comes with npm.
 */
export const LEAST_VERSION = 15;

const VERSION: Statement = {
  name: 'server.version',
  // server_version_num is major * 10,000 + minor since Postgres 10.
  text: `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version, current_database() AS database`,
};

/** Throws INVALID_SETTING when the server is older than {@link LEAST_VERSION}. */
export async function requireSupportedServer(database: Queryable): Promise<void> {
  const [server] = await database.query<{ number: number; version: string; database: string }>(VERSION, []);
  if (!server || server.number >= LEAST_VERSION * 10_000) return;
  const what = `DATABASE_URL leads to database "${server.database}" on Postgres ${server.version}`;
  throw refusal('INVALID_SETTING', `${what}, and this program needs Postgres ${LEAST_VERSION} or later; use a newer server`);
}
