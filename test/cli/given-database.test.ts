import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';

import { createTestDatabase, runSql, type TestDatabase } from '../database/postgres-fixture.ts';
import { eventually } from './support/eventually.ts';
import { type RunningCommand, startMesh } from './support/mesh-command.ts';
import { type Environment, makeShopFolder, type ShopFolder } from './support/shop-folder.ts';

describe('mesh up with a Postgres of one\'s own', function () {
  this.timeout(60_000);
  this.slow(10_000);

  let database: TestDatabase;
  let folder: ShopFolder;
  let shop: RunningCommand;
  before(async () => {
    database = await createTestDatabase();
    folder = await makeShopFolder({ DATABASE_URL: database.url, OTEL_TRACES_EXPORTER: 'none' });
    shop = await start({ MESH_DEMO_ACCOUNTS: 'true' });
  });
  after(async () => {
    shop?.kill('SIGTERM');
    await shop?.finished;
    await runSql(database.url, 'DROP DATABASE IF EXISTS stripe_simulator WITH (FORCE)');
    await database?.drop();
    await folder?.remove();
  });

  async function start(settings: Environment = {}): Promise<RunningCommand> {
    const running = startMesh(['up', '--demo', '--topology', 'monolith', '--json'], { environment: { ...folder.environment, ...settings } }, folder.root);
    await running.untilPrinted('"order"');
    return running;
  }

  it('brings none', () => {
    expect(existsSync(join(folder.dataDir, 'postgres'))).to.equal(false);
  });

  it('places the sample order on it, with the card simulator\'s ledger in a database beside', async () => {
    const { order } = JSON.parse(shop.output()) as { order: { orderId: string; state: string } };
    expect(order.state).to.equal('ORDER_STATE_CONFIRMED');
    const captured = `SELECT 1 / (SELECT count(*) FROM stripe_simulator.ledger WHERE order_id = '${order.orderId}')`;
    await runSql(database.url.replace(/\/test_\w+$/, '/stripe_simulator'), captured);
  });

  it('prints one document for programs, and no trace where spans go nowhere', () => {
    expect(JSON.parse(shop.output())).to.include({ jaegerUrl: '' });
  });

  it('makes no demo accounts in it unless it is told to, and deletes those of an earlier start', async () => {
    const thereIsOne = `SELECT 1 / (SELECT count(*) FROM "user".account)`;
    await runSql(database.url, thereIsOne);
    shop.kill('SIGTERM');
    await shop.finished;
    shop = await start();
    expect(JSON.parse(shop.output())).to.deep.include({ order: null });
    await eventually('there is no account', () => runSql(database.url, thereIsOne).then(() => false, () => true));
  });
});
