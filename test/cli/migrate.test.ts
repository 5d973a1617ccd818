import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { EVENT_LOG_SCHEMA } from '#events';
import { silentLog } from '#kit';
import { loadModule, MODULE_NAMES } from '#modules';

import { openServiceDatabase } from '../../cli/serving/service-database.ts';
import { loadSettings } from '../../cli/settings.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import { createTestDatabase, runSql, type TestDatabase } from '../database/postgres-fixture.ts';
import { diagnose } from './support/diagnose.ts';
import { meshHere } from './support/in-process.ts';
import { makeShopFolder, type ShopFolder } from './support/shop-folder.ts';

describe('mesh migrate', function () {
  this.timeout(30_000);
  this.slow(3_000);

  let folder: ShopFolder;
  let database: TestDatabase;
  before(async () => {
    folder = await makeShopFolder();
    database = await createTestDatabase();
  });
  after(async () => {
    await database?.drop();
    await folder?.remove();
  });
  const migrate = (...args: string[]) => meshHere(['migrate', ...args], { ...folder.environment, DATABASE_URL: database.url });

  it('makes the tables of every service and of the event log, and names the files it ran', async () => {
    const { exitCode, stdout, stderr } = await migrate();
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    for (const service of MODULE_NAMES) expect(stdout).to.match(new RegExp(`^${service}: .*${service}/001\\S*\\.sql`, 'm'));
    expect(stdout).to.match(/^event_log: event_log\/001\S*\.sql/m);
  });

  it('finds nothing to do the second time', async () => {
    const schemas = [...MODULE_NAMES, EVENT_LOG_SCHEMA];
    expect((await migrate()).stdout).to.equal(schemas.map((name) => `${name}: up to date\n`).join(''));
    expect(JSON.parse((await migrate('--json')).stdout)).to.deep.equal(Object.fromEntries(schemas.map((name) => [name, []])));
  });

  describe('on tables that an earlier edition of a migration made', () => {
    const SAYS = /schema "user" was made by another edition of user\/001\S*\.sql, changed after it had been applied; bring that edition back/;
    before(() => runSql(database.url, 'UPDATE "user".migration_user SET md5 = md5(md5) WHERE version = 1'));
    after(() => runSql(database.url, 'DROP SCHEMA "user" CASCADE'));

    it('refuses', async () => {
      const { exitCode, stderr } = await migrate();
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(SAYS).and.include('SCHEMA_OUTDATED');
    });

    it('is why their service does not start, though it may migrate', async () => {
      const settings = await loadSettings({ DATABASE_URL: database.url, MESH_MIGRATE: 'true' });
      const given = { settings, tracer: trace.getTracer('test'), log: silentLog, hooks: {} };
      const refused = await expectRefusal('SCHEMA_OUTDATED', openServiceDatabase('user', await loadModule('user'), given));
      expect(refused.message).to.match(SAYS);
    });

    it('is what `mesh doctor` finds', async () => {
      const found = await diagnose({ ...folder.environment, DATABASE_URL: database.url });
      const [schema, ...others] = found.filter((line) => line.includes(' schema: '));
      expect(schema).to.match(/^fail schema: /).and.match(SAYS);
      expect(others).to.deep.equal([]);
    });
  });

  it('says when the database does not answer', async () => {
    const { exitCode, stderr } = await meshHere(['migrate'], { ...folder.environment, DATABASE_URL: 'postgres://shop:hunter2@127.0.0.1:1/shop' });
    expect(exitCode).to.equal(1);
    expect(stderr).to.include('DATABASE_UNAVAILABLE').and.not.include('hunter2').and.not.match(/^ +at /m);
  });
});
