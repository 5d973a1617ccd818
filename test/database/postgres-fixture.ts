import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import pg from 'pg';

import { ensureDatabase } from '#database';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#database/embedded';
import { silentLog } from '#kit';
import { guardProcess } from '../backends/guard.ts';
import { layCluster } from './lay-cluster.ts';
import { makeTestFolder } from './test-folder.ts';

export { makeTestFolder };

/** A Postgres of its own, for a test that ill-treats it. */
export interface TestServer {
  readonly postgres: EmbeddedPostgres;
  /** Where its data are, for starting it again. */
  readonly dataDir: string;
  /** Starts it again after it ended, on the same data. */
  restart(): Promise<void>;
  /** Stops it and removes everything. */
  remove(): Promise<void>;
}

export async function startTestServer(): Promise<TestServer> {
  const folder = await makeTestFolder();
  const dataDir = join(folder, 'data');
  await layCluster(dataDir);
  let postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
  let guard = guardProcess(postgres.pid, folder);
  return {
    get postgres() {
      return postgres;
    },
    dataDir,
    async restart() {
      await guard.release();
      postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
      guard = guardProcess(postgres.pid, folder);
    },
    async remove() {
      await postgres.stop();
      await guard.release();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface TestDatabase {
  readonly url: string;
  /** Also cuts connections that are still open. */
  drop(): Promise<void>;
}

let shared: Promise<TestServer> | undefined;

/** An empty database on a Postgres that all test files of this process share; it ends with the last test. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { postgres } = await (shared ??= startTestServer());
  const name = `test_${randomBytes(6).toString('hex')}`;
  await ensureDatabase(postgres.url(name));
  return {
    url: postgres.url(name),
    drop: () => runSql(postgres.url('postgres'), `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`),
  };
}

/** Runs a script over a connection of its own. */
export async function runSql(url: string, script: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(script);
  } finally {
    await client.end();
  }
}

// Outside of any suite: Mocha calls it once, after the last test of the process.
after(async () => {
  await (await shared)?.remove();
  shared = undefined;
});
