import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import pg from 'pg';

import { runSql, startTestServer, type TestServer } from './postgres-fixture.ts';
import { until } from './until.ts';

describe('a Postgres that was killed and has a backend left that does not notice', function () {
  this.timeout(60_000);
  let server: TestServer;

  beforeEach(async () => void (server = await startTestServer()));
  afterEach(() => server.remove());

  it('is started as soon as that has ended', async () => {
    const { postgres } = server;
    const client = new pg.Client({ connectionString: postgres.url('postgres') });
    // Its server is killed below.
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const backend = rows[0]?.pid ?? 0;
    process.kill(backend, 'SIGSTOP');
    let restarted: Promise<void> | undefined;
    try {
      process.kill(postgres.pid, 'SIGKILL');
      await postgres.ended;
      restarted = server.restart();
      const log = join(server.dataDir, 'postgres.log');
      await until('it was tried in vain', async () => (await readFile(log, 'utf8')).includes('pre-existing shared memory block'));
    } finally {
      process.kill(backend, 'SIGKILL');
    }
    await restarted;
    await runSql(server.postgres.url('postgres'), 'SELECT 1');
  });
});
