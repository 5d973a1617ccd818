import { setTimeout as delay } from 'node:timers/promises';

import pg from 'pg';

/** A UUID, of which all but the last 8 digits are kept. */
const UUID = '([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4})[0-9a-f]{8}';

/** A tracking number of the carrier's, of which the last group and the check digits are not kept. */
const TRACKING = '(SIM(-[0-9A-Z]{4}){2}-)[0-9A-Z]{4}-[0-9]{2}';

/** Copy n of a row that is written as JSON. */
const COPY = `regexp_replace(regexp_replace(row, '${UUID}', '\\1' || lpad(to_hex(n), 8, '0'), 'g'), '${TRACKING}', '\\1' || lpad(to_hex(n), 8, '0'), 'g')::json`;

/** What is kept for a stated time only, and what holds one row for each process: neither grows with the orders. */
const NOT_GROWING = /^(migration_|outbox|inbox|dead_letter|event_log)/;
const COPIES_AT_ONCE = 100;

/** Orders on their way, and notices that are not sent yet. */
const UNFINISHED: Readonly<Record<string, string>> = {
  order: `SELECT count(*) FROM "order".orders WHERE state <> 'CONFIRMED'`,
  notification: `SELECT count(*) FROM notification.notification WHERE state IN ('PARKED', 'PENDING', 'SENDING')`,
};
const FINISHED_WITHIN_MS = 60_000;

interface Table {
  readonly name: string;
  /** Without those that Postgres writes itself. */
  readonly columns: string;
}

/**
 * Multiplies the finished orders of a shop in the tables of all its services until there are `orders`. Copy n of a row has the
 * last digits of every UUID and tracking number in it replaced by n, in every table and every database alike, so that copies belong together as
 * the originals do. Whatever tables a service has: which of them hold rows with UUIDs is looked up.
 */
export async function fillShop(databaseUrls: Readonly<Record<string, string>>, orders: number, progress: (line: string) => void): Promise<void> {
  await untilFinished(databaseUrls);
  const originals = await countOrders(databaseUrls['order'] ?? '');
  const copies = Math.ceil(orders / originals) - 1;
  for (const [service, url] of Object.entries(databaseUrls)) {
    const client = new pg.Client(url);
    await client.connect();
    try {
      // Neither triggers nor foreign keys: what is copied has passed them.
      await client.query('SET session_replication_role = replica');
      const filled: string[] = [];
      for (const table of await tablesOf(client, service)) if (await fill(client, table, copies)) filled.push(table.name);
      await client.query('VACUUM ANALYZE');
      await client.query('CHECKPOINT');
      if (filled.length > 0) progress(`${service}: filled ${filled.join(', ')}`);
    } finally {
      await client.end();
    }
  }
  const there = await countOrders(databaseUrls['order'] ?? '');
  if (there < orders) throw new Error(`only ${there} of ${orders} orders could be written: this is no measurement`);
}

/** @param schema is called like the service */
async function tablesOf(client: pg.Client, schema: string): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `SELECT format('%I.%I', table_schema, table_name) AS name,
       string_agg(format('%I', column_name), ', ' ORDER BY ordinal_position) FILTER (WHERE is_identity = 'NO' AND is_generated = 'NEVER') AS columns
     FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
     WHERE table_schema = $1 AND table_type = 'BASE TABLE' AND table_name !~ $2
     GROUP BY table_schema, table_name`,
    [schema, NOT_GROWING.source],
  );
  return rows;
}

/** False for a table whose rows have no UUIDs: it does not grow with the orders. */
async function fill(client: pg.Client, { name, columns }: Table, copies: number): Promise<boolean> {
  await client.query(`DROP TABLE IF EXISTS pg_temp.original`);
  await client.query(`CREATE TEMP TABLE original AS SELECT row_to_json(each)::text AS row FROM ${name} AS each WHERE row_to_json(each)::text ~ '${UUID}'`);
  const { rowCount } = await client.query('SELECT FROM original LIMIT 1');
  if (rowCount === 0) return false;
  for (let from = 1; from <= copies; from += COPIES_AT_ONCE) {
    await client.query(
      `INSERT INTO ${name} (${columns})
       SELECT ${columns} FROM original, generate_series($1::integer, $2::integer) AS n,
         json_populate_record(NULL::${name}, ${COPY}) AS copy`,
      [from, Math.min(copies, from + COPIES_AT_ONCE - 1)],
    );
  }
  return true;
}

function countOrders(url: string): Promise<number> {
  return count(url, 'SELECT count(*) FROM "order".orders');
}

/** A copy of what is under way would be work for the shop. */
async function untilFinished(databaseUrls: Readonly<Record<string, string>>): Promise<void> {
  const unfinished = async (): Promise<number> => {
    const counts = Object.entries(UNFINISHED).map(([service, text]) => (databaseUrls[service] ? count(databaseUrls[service], text) : 0));
    return (await Promise.all(counts)).reduce((sum, each) => sum + each, 0);
  };
  for (const giveUpAt = performance.now() + FINISHED_WITHIN_MS; (await unfinished()) > 0; await delay(200)) {
    if (performance.now() > giveUpAt) throw new Error('orders that are to be multiplied do not get finished: this is no measurement');
  }
}

async function count(url: string, text: string): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<{ count: string }>(text);
    return Number(rows[0]?.count ?? 0);
  } finally {
    await client.end();
  }
}
