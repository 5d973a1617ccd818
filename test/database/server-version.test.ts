import { expect } from 'chai';
import pg from 'pg';

import { ensureDatabase, idempotencyMigrations, migrate, schemaState } from '#database';
import { silentLog } from '#kit';

import { LEAST_VERSION } from '../../database/server-version.ts';
import { type CuttingProxy, startProxy } from './cutting-proxy.ts';
import { expectRefusal } from './expect-refusal.ts';
import { openTestDatabase } from './open-test-database.ts';
import { createTestDatabase, type TestDatabase } from './postgres-fixture.ts';

const COMPONENTS = [idempotencyMigrations];

describe('a Postgres of another version', function () {
  this.timeout(20_000);
  let place: TestDatabase;
  let actual: string;
  let proxy: CuttingProxy | undefined;

  before(async () => {
    place = await createTestDatabase();
    actual = await ask('SHOW server_version_num');
  });

  afterEach(() => proxy?.stop());
  after(() => place.drop());

  async function ask(text: string): Promise<string> {
    const client = new pg.Client(place.url);
    await client.connect();
    const { rows } = await client.query({ text, rowMode: 'array' });
    await client.end();
    return String(rows.flat()[0]);
  }

  /** The same server, which calls itself another version. */
  async function callItself(version: number): Promise<string> {
    proxy = await startProxy(place.url, (answer) => answer.replaceAll(actual, String(version)));
    return proxy.url;
  }

  it(`is refused when it is older than ${LEAST_VERSION}, before anything is written`, async () => {
    const url = await callItself(LEAST_VERSION * 10_000 - 1);
    const database = openTestDatabase({ url });
    const attempts = [
      () => schemaState(database, COMPONENTS),
      () => migrate({ url, schema: 'shop', components: COMPONENTS, log: silentLog, mayCreateDatabase: true }),
      () => ensureDatabase(`${url}_new`),
    ];
    for (const attempt of attempts) {
      const error = await expectRefusal('INVALID_SETTING', attempt());
      expect(error.message).to.match(/DATABASE_URL leads to database "\w+" on Postgres \S+, and this program needs Postgres \d+ or later/);
    }
    await database.stop();
    const written = `SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'shop') + (SELECT count(*) FROM pg_database WHERE datname = current_database() || '_new')`;
    expect(await ask(written)).to.equal('0');
  });

  for (const [what, version] of [['the oldest', LEAST_VERSION * 10_000], ['one that nobody knows yet', 990_001]] as const) {
    it(`is welcome when it is ${what} (${version})`, async () => {
      const database = openTestDatabase({ url: await callItself(version) });
      expect((await schemaState(database, COMPONENTS)).state).to.equal('outdated');
      await database.stop();
    });
  }
});
