import type { Database } from '#database';

const NAMES = {
  name: 'test.table_names',
  text: `SELECT format('%I.%I', table_schema, table_name) AS "table" FROM information_schema.tables
         WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
};

/** What stands in each table of every schema of a database, as a hash. */
export async function allTables(database: Database): Promise<Readonly<Record<string, string | null>>> {
  const names = await database.query<{ table: string }>(NAMES, []);
  const hashes = names.map(({ table }) => `SELECT '${table}' AS "table", md5(string_agg(row::text, ' ' ORDER BY row::text)) AS content FROM ${table} AS row`);
  const rows = await database.query<{ table: string; content: string | null }>({ name: 'test.all_tables', text: hashes.join(' UNION ALL ') }, []);
  return Object.fromEntries(rows.map(({ table, content }) => [table, content]));
}
