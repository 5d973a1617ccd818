import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import pg from 'pg';

import { LEDGER_URL } from '../../cli/books/ledger-place.ts';
import type { Shop } from '../shop/shop-fixture.ts';

const SCHEMAS = `NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`;

const TABLES = `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname ${SCHEMAS} ORDER BY 1`;
/** Tables, columns, functions, triggers, roles: what only a migration may change. */
const SHAPE = `
  SELECT format('column %s.%s.%s %s', table_schema, table_name, column_name, data_type) AS part FROM information_schema.columns WHERE table_schema ${SCHEMAS}
  UNION ALL SELECT format('function %s.%s %s', nspname, proname, md5(prosrc)) FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname ${SCHEMAS}
  UNION ALL SELECT format('trigger %s on %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT format('role %s %s %s', rolname, rolsuper, rolcanlogin) FROM pg_roles ORDER BY 1`;

/** Every database of the shop, as the owner of its tables, each once. */
export function databaseUrls({ environment }: Shop): readonly string[] {
  const urls = Object.entries(environment).filter(([name]) => /^(DATABASE_OWNER_URL_|MESH_EVENTS_OWNER_URL)/.test(name) || name === LEDGER_URL);
  const byDatabase = new Map(urls.map(([, url]) => [URL.parse(url)?.pathname ?? url, url]));
  return [...byDatabase.values()];
}

/** What stands in all tables, as text: one row a line, bytes as hex. */
export async function dumpTables(shop: Shop): Promise<string> {
  const dumps = databaseUrls(shop).map((url) =>
    withClient(url, async (client) => {
      const tables = await textsOf(client, TABLES);
      const rows: string[] = [];
      for (const table of tables) rows.push(...(await textsOf(client, `SELECT '${table.replaceAll("'", "''")} ' || t::text AS row FROM ${table} AS t`)));
      return rows.join('\n');
    }),
  );
  return (await Promise.all(dumps)).join('\n');
}

export async function schemaShape(shop: Shop): Promise<readonly string[]> {
  return (await Promise.all(databaseUrls(shop).map((url) => withClient(url, (client) => textsOf(client, SHAPE))))).flat();
}

/** Runs statements on a connection of its own, without names or parameters. */
export async function withClient<T>(url: string, act: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}

/** The only column of each row. */
export async function textsOf(client: pg.Client, text: string): Promise<string[]> {
  const { rows } = await client.query<Record<string, string>>(text);
  return rows.map((row) => Object.values(row)[0] ?? '');
}

/** The logs of its processes, one after the other. */
export async function readLogs({ environment }: Shop): Promise<string> {
  return (await textsIn(join(environment['MESH_DATA_DIR'] ?? '', 'logs'))).join('\n');
}

/** The folder comes with the first of them. */
export async function readMails({ environment }: Shop): Promise<readonly string[]> {
  const folder = environment['MESH_MAIL_DIR'] ?? '';
  return existsSync(folder) ? textsIn(folder, '.eml') : [];
}

async function textsIn(folder: string, suffix = ''): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(suffix) && !name.startsWith('.'));
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}

/** More than any run makes of one service. */
const MAX_TRACES = 20_000;

/** Every span that the collector has, as its query API tells them. */
export async function readSpans({ environment }: Shop): Promise<string> {
  const base = environment['MESH_JAEGER_URL'] ?? '';
  const { data } = await getJson<{ data: readonly string[] }>(`${base}/api/services`);
  const traces = data.map(async (service) => {
    const found = await getJson<{ data: readonly unknown[] }>(`${base}/api/traces?service=${encodeURIComponent(service)}&limit=${MAX_TRACES}`);
    if (found.data.length >= MAX_TRACES) throw new Error(`${service} has more traces than are looked through`);
    return found;
  });
  return JSON.stringify(await Promise.all(traces));
}

async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
  // As the API has it.
  return (await response.json()) as T;
}
