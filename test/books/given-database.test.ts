import { expect } from 'chai';

import { LEDGER_URL, placeOfLedger } from '../../cli/books/ledger-place.ts';
import { loadSettings } from '../../cli/settings.ts';
import { meshHere } from '../cli/support/in-process.ts';
import { type Environment, makeShopFolder, type ShopFolder } from '../cli/support/shop-folder.ts';
import { createTestDatabase, type TestDatabase } from '../database/postgres-fixture.ts';

describe('mesh doctor books, where no shop runs', function () {
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

  const books = (settings: Environment, ...args: string[]) => meshHere(['doctor', 'books', ...args], { ...folder.environment, ...settings });

  it('says that it must be told where the books are', async () => {
    const { exitCode, stdout, stderr } = await books({});
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
    expect(stderr).to.match(/no shop runs here.*npx mesh up.*DATABASE_URL_ORDER.*INVALID_SETTING/);
  });

  it('makes no tables where there are none', async () => {
    for (let twice = 0; twice < 2; twice += 1) {
      const { exitCode, stderr } = await books({ DATABASE_URL: database.url });
      expect(exitCode).to.equal(1);
      expect(stderr).to.include('SCHEMA_OUTDATED').and.include('mesh migrate');
    }
  });

  it('says that it cannot see the ledger where cards are charged at Stripe, which is no difference', async () => {
    const settings = { DATABASE_URL: database.url, STRIPE_API_KEY: 'sk_test_somebodys' };
    expect((await meshHere(['migrate'], { ...folder.environment, ...settings })).exitCode).to.equal(0);
    const { exitCode, stdout } = await books(settings);
    expect(exitCode, stdout).to.equal(0);
    expect(stdout).to.match(/^0 orders: .*\nThe provider's ledger cannot be read here.*Stripe's dashboard\.$/m);
    expect(JSON.parse((await books(settings, '--json')).stdout)).to.deep.include({ agree: true, ledger: 'out of reach' });
  });

  it('says when the database does not answer', async () => {
    const { exitCode, stderr } = await books({ DATABASE_URL: 'postgres://shop:hunter2@127.0.0.1:1/shop' });
    expect(exitCode).to.equal(1);
    expect(stderr).to.include('DATABASE_UNAVAILABLE').and.not.include('hunter2').and.not.match(/^ +at /m);
  });

  it('looks for the ledger where a running shop says that it is, else beside DATABASE_URL, and nowhere with a key of Stripe', async () => {
    const told = { [LEDGER_URL]: 'postgres://u:p@ledger:5432/cards' };
    const place = async (flags: Environment, shop?: Environment) => placeOfLedger(await loadSettings(flags), shop, 'sk_test_stand_in');
    const beside = { kind: 'card simulator', url: 'postgres://u:p@h:5432/stripe_simulator?sslmode=require', isCertain: false };
    const url = 'postgres://u:p@h:5432/shop?sslmode=require';
    const certain = { kind: 'card simulator', url: told[LEDGER_URL], isCertain: true };
    expect(await place({ STRIPE_API_KEY: 'sk_test_stand_in', DATABASE_URL: url }, told)).to.deep.equal(certain);
    expect(await place({ DATABASE_URL: url })).to.deep.equal(beside);
    expect(await place({ STRIPE_API_KEY: 'sk_live_real', DATABASE_URL: url }, told)).to.deep.equal({ kind: 'out of reach' });
    expect(await place({})).to.deep.equal({ kind: 'out of reach' });
  });
});
