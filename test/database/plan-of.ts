import pg from 'pg';

import type { Queryable } from '#database';

/** How Postgres goes about the statements that `run` sends, when it plans each once for all values: see PREPARE in its manual. */
export async function planOf(url: string, run: (db: Queryable) => Promise<unknown>): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  const plan: string[] = [];
  const explain: Queryable = {
    async query({ text }) {
      await client.query(`SET search_path TO shop; SET plan_cache_mode = force_generic_plan; PREPARE asked AS ${text}`);
      const values = Array.from({ length: Math.max(...[...text.matchAll(/\$(\d+)/g)].map(([, index]) => Number(index))) }, () => 'NULL');
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN EXECUTE asked (${values.join(', ')})`);
      plan.push(...rows.map((row) => row['QUERY PLAN']));
      return [];
    },
  };
  try {
    await run(explain);
  } finally {
    await client.end();
  }
  return plan.join('\n');
}
