import pg from 'pg';

const NAMES = ['fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'shared_buffers', 'max_wal_size'];

/** What a figure of durable orders stands or falls by, as the server itself says; throws where a commit could be lost. */
export async function readPostgresSettings(url: string): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; setting: string }>('SELECT name, current_setting(name) AS setting FROM unnest($1::text[]) AS name', [NAMES]);
    for (const { name, setting } of rows.slice(0, 3)) if (setting !== 'on') throw new Error(`${name} is ${setting}: these orders would not be durable`);
    return rows.map(({ name, setting }) => `${name}=${setting}`).join(' ');
  } finally {
    await client.end();
  }
}
