import pg from 'pg';

import { databaseError } from './database-errors.ts';
import { placeOf } from './database-url.ts';
import { rowTypes } from './row-types.ts';
import type { Queryable } from './statement.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** Statements over a connection of its own, which keeps nothing prepared. */
export function asQueryable(client: pg.Client): Queryable {
  return {
    async query<Row extends object>({ text }: { text: string }, values: readonly unknown[]): Promise<Row[]> {
      return (await client.query<Row>(text, [...values])).rows;
    },
  };
}

/** Opens a connection for a short administrative task and closes it. Every failure comes out as MeshError. */
export async function withConnection<T>(
  url: string,
  applicationName: string,
  run: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const place = placeOf(url);
  const client = new pg.Client({
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types: rowTypes,
  });
  // Without a listener a broken connection would end the process; the statement under way fails with it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await run(client);
  } catch (thrown) {
    throw databaseError(thrown, place);
  } finally {
    await client.end();
  }
}
