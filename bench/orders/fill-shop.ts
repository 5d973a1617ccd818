import { setTimeout as delay } from 'node:timers/promises';

import pg from 'pg';

import { copyTable } from './copy-table.ts';

/** Orders on their way, and notices that are not sent yet. */
const UNFINISHED: Readonly<Record<string, string>> = {
  order: `SELECT count(*) FROM "order".orders WHERE state = 'PENDING'`,
  notification: `SELECT count(*) FROM notification.notification WHERE state IN ('PARKED', 'PENDING', 'SENDING')`,
};
const FINISHED_WITHIN_MS = 60_000;

/** What is kept for a stated time only, and what holds one row for each process: neither grows with the orders. */
const NOT_GROWING = /^(migration_|outbox|inbox|dead_letter|event_log|signing_key)/;

/** 100,000 orders took 31 s on two processors that others used, too: a million takes about 5 minutes, 10 where they are busier. */
const FILLED_WITHIN_MS = 30 * 60_000;
const TELL_EVERY_MS = 5_000;

/**
 * Multiplies the finished orders of a shop in the tables of all its services until there are `orders`. Copy n of a row has the
 * last digits of every UUID and tracking number in it replaced by n, in every table and every database alike, so that copies
 * belong together as the originals do. Whatever tables a service has: which of them hold rows with UUIDs is looked up.
 *
 * What bulk inserts leave behind is tidied up, so that nothing of it is measured: rows are frozen, statistics taken, and all of it
 * written to disk.
 */
export async function fillShop(databaseUrls: Readonly<Record<string, string>>, orders: number, progress: (line: string) => void): Promise<void> {
  await untilFinished(databaseUrls);
  const originals = await countOrders(databaseUrls['order'] ?? '');
  const copies = Math.ceil(orders / originals) - 1;
  const giveUpAt = performance.now() + FILLED_WITHIN_MS;
  for (const [service, url] of Object.entries(databaseUrls)) {
    const filled = await withClient(url, (client) => fillSchema(client, service, copies, giveUpAt, progress));
    if (filled.length > 0) progress(`${service}: filled ${filled.join(', ')}`);
  }
  const there = await countOrders(databaseUrls['order'] ?? '');
  if (there < orders) throw new Error(`only ${there} of ${orders} orders could be written: this is no measurement`);
}

/** Returns the tables that have grown. */
async function fillSchema(client: pg.Client, schema: string, copies: number, giveUpAt: number, progress: (line: string) => void): Promise<string[]> {
  // Neither triggers nor foreign keys: what is copied has passed them. Durable by the checkpoint.
  await client.query('SET session_replication_role = replica; SET synchronous_commit = off');
  const filled: string[] = [];
  let toldAt = performance.now();
  for (const table of await tablesOf(client, schema)) {
    const onCopied = (copied: number): void => {
      const now = performance.now();
      if (now > giveUpAt) throw new Error(`${copies} copies could not be written within ${FILLED_WITHIN_MS / 60_000} minutes: this is no measurement`);
      if (now - toldAt < TELL_EVERY_MS) return;
      toldAt = now;
      progress(`${table}: ${copied} of ${copies} copies`);
    };
    if (await copyTable(client, table, copies, onCopied)) filled.push(table);
  }
  await client.query('VACUUM (FREEZE, ANALYZE)');
  await client.query('CHECKPOINT');
  return filled;
}

/** @param schema is called like the service */
async function tablesOf(client: pg.Client, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_schema = $1 AND table_type = 'BASE TABLE' AND table_name !~ $2 ORDER BY table_name`,
    [schema, NOT_GROWING.source],
  );
  return rows.map(({ name }) => name);
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

function count(url: string, text: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ count: string }>(text);
    return Number(rows[0]?.count ?? 0);
  });
}

async function withClient<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
