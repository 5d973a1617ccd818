import { expect } from 'chai';

import { MODULE_NAMES } from '#modules';

import { createTestDatabase, type TestDatabase } from '../database/postgres-fixture.ts';
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

  it('makes the tables of every service, and names the files it ran', async () => {
    const { exitCode, stdout, stderr } = await migrate();
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    for (const service of MODULE_NAMES) expect(stdout).to.match(new RegExp(`^${service}: .*${service}/001\\S*\\.sql`, 'm'));
  });

  it('finds nothing to do the second time', async () => {
    expect((await migrate()).stdout).to.equal(MODULE_NAMES.map((name) => `${name}: up to date\n`).join(''));
    expect(JSON.parse((await migrate('--json')).stdout)).to.deep.equal(Object.fromEntries(MODULE_NAMES.map((name) => [name, []])));
  });

  it('says when the database does not answer', async () => {
    const { exitCode, stderr } = await meshHere(['migrate'], { ...folder.environment, DATABASE_URL: 'postgres://shop:hunter2@127.0.0.1:1/shop' });
    expect(exitCode).to.equal(1);
    expect(stderr).to.include('DATABASE_UNAVAILABLE').and.not.include('hunter2').and.not.match(/^ +at /m);
  });
});
