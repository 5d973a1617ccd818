import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { applicationRole, withUser } from '#database';
import { silentLog } from '#kit';
import { loadModule } from '#modules';

import { settingsOfRunningShop } from '../../cli/commands/running-shop.ts';
import { openControlSocket } from '../../cli/local/control-server.ts';
import { openDataFolder } from '../../cli/local/data-folder.ts';
import { ownSettings } from '../../cli/local/own-settings.ts';
import { openServiceDatabase } from '../../cli/serving/service-database.ts';
import { loadSettings } from '../../cli/settings.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import { runSql } from '../database/postgres-fixture.ts';
import { makeRoles, type RolesFixture, rowsOf } from '../database/roles-fixture.ts';
import { diagnose } from './support/diagnose.ts';
import { meshHere } from './support/in-process.ts';
import { type Environment, makeShopFolder, type ShopFolder } from './support/shop-folder.ts';

describe('a database whose owner is another role than the services\'', function () {
  this.timeout(60_000);
  this.slow(5_000);

  let folder: ShopFolder;
  let roles: RolesFixture;
  before(async () => {
    folder = await makeShopFolder({ OTEL_TRACES_EXPORTER: 'none' });
    roles = await makeRoles();
  });
  after(async () => {
    await roles?.remove();
    await folder?.remove();
  });

  /** One role for all services, as DATABASE_URL has it, but for `order` and the event log. */
  const given = (more: Environment = {}): Environment => ({
    DATABASE_URL: withUser(roles.url, { name: applicationRole(new URL(roles.url).pathname.slice(1), 'shop'), password: 'shared' }),
    DATABASE_OWNER_URL: roles.ownerUrl,
    DATABASE_URL_ORDER: roles.roleUrl('order'),
    DATABASE_OWNER_URL_ORDER: roles.ownerUrl,
    MESH_EVENTS_URL: roles.roleUrl('event_log'),
    MESH_EVENTS_OWNER_URL: roles.ownerUrl,
    ...more,
  });
  const open = async (settings: Environment) =>
    openServiceDatabase('order', await loadModule('order'), { settings: await loadSettings(settings), tracer: trace.getTracer('test'), log: silentLog, hooks: {} });

  it('is one that a service without the owner\'s URL does not migrate, and the refusal says who does', async () => {
    await runSql(roles.ownerUrl, `CREATE ROLE "${roles.role('order')}" LOGIN PASSWORD 'application'; GRANT CONNECT ON DATABASE ${new URL(roles.url).pathname.slice(1)} TO "${roles.role('order')}"`);
    const error = await expectRefusal('SCHEMA_OUTDATED', open(given({ DATABASE_OWNER_URL_ORDER: '' })));
    expect(error.message).to.include('schema "order"').and.include('mesh migrate').and.include('DATABASE_OWNER_URL');
  });

  it('is migrated by `mesh migrate` as the owner, which makes the roles and lets them in', async () => {
    const { exitCode, stderr } = await meshHere(['migrate'], { ...folder.environment, ...given() });
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    const owners = await rowsOf(roles.url, `SELECT DISTINCT tableowner AS owner FROM pg_tables WHERE schemaname IN ('order', 'user', 'event_log')`);
    expect(owners).to.deep.equal([{ owner: new URL(roles.ownerUrl).username }]);
    const again = await meshHere(['migrate'], { ...folder.environment, ...given() });
    expect(again.stdout).to.match(/^order: up to date$/m);
  });

  it('is one on which a service works as its own role, with no owner\'s URL', async () => {
    const database = await open(given({ DATABASE_OWNER_URL: '', DATABASE_OWNER_URL_ORDER: '', MESH_MIGRATE: 'false' }));
    const [row] = await database.query<{ me: string; orders: number }>({ name: 'test.me', text: 'SELECT current_user::text AS me, count(*)::int AS orders FROM orders' }, []);
    await database.stop();
    expect(row).to.deep.equal({ me: roles.role('order'), orders: 0 });
  });

  it('is one on which a service that has the owner\'s URL, too, lets its role in when it was not', async () => {
    await runSql(roles.ownerUrl, `REVOKE ALL ON SCHEMA "order" FROM "${roles.role('order')}"`);
    await expectRefusal('SCHEMA_OUTDATED', open(given({ MESH_MIGRATE: 'false' })));
    const database = await open(given());
    expect(await database.query({ name: 'test.none', text: 'SELECT order_id FROM orders' }, [])).to.deep.equal([]);
    await database.stop();
  });

  it('is looked at by operators as its owner', async () => {
    for (const args of [['doctor', 'books'], ['events', 'list'], ['events', 'lag'], ['events', 'dead']]) {
      const { exitCode, stderr } = await meshHere(args, { ...folder.environment, ...given(), STRIPE_API_KEY: 'sk_test_none' });
      expect({ exitCode, stderr }, args.join(' ')).to.deep.equal({ exitCode: 0, stderr: '' });
    }
  });

  describe('as mesh doctor sees it', () => {
    const found = async (settings: Environment) => (await diagnose({ ...folder.environment, ...settings })).filter((line) => line.includes(' roles: '));

    it('has roles that work for several services', async () => {
      const [trouble, ...others] = await found(given());
      expect(others).to.deep.equal([]);
      expect(trouble).to.match(/^warn roles: "\w+\.shop", the role of user, product.*, can use the tables of .*inventory.*, too; give each service a role of its own/);
      expect(trouble).to.not.match(/role of[^;]*order.*can use/);
    });

    it('is well where each has its own', async () => {
      expect(await found({ DATABASE_URL_ORDER: roles.roleUrl('order'), MESH_EVENTS_URL: roles.roleUrl('event_log') })).to.deep.equal([]);
    });

    it('is remarked upon where one role does everything, which fails nothing', async () => {
      const [trouble, ...others] = await found({ DATABASE_URL: roles.ownerUrl });
      expect(others).to.deep.equal([]);
      expect(trouble).to.match(/^warn roles: the roles of user, .*event_log own the tables they work on: .*DATABASE_OWNER_URL/);
    });
  });
});

describe('the owners of databases', () => {
  const of = async (settings: Environment) => {
    const { databaseUrls, ownerUrls } = await loadSettings(settings);
    return { order: [databaseUrls.order, ownerUrls.order], user: [databaseUrls.user, ownerUrls.user] };
  };

  it('are those that are named beside each database, and nobody else where none is', async () => {
    const [shop, owner, orders, orderOwner] = ['postgres://a/shop', 'postgres://o@a/shop', 'postgres://b/orders', 'postgres://o@b/orders'];
    expect(await of({ DATABASE_URL: shop })).to.deep.equal({ order: [shop, shop], user: [shop, shop] });
    expect(await of({ DATABASE_URL: shop, DATABASE_OWNER_URL: owner })).to.deep.equal({ order: [shop, owner], user: [shop, owner] });
    const own = { DATABASE_URL: shop, DATABASE_OWNER_URL: owner, DATABASE_URL_ORDER: orders };
    expect(await of(own), 'the owner of another database').to.deep.equal({ order: [orders, orders], user: [shop, owner] });
    expect(await of({ ...own, DATABASE_OWNER_URL_ORDER: orderOwner })).to.deep.equal({ order: [orders, orderOwner], user: [shop, owner] });
  });

  it('of a running shop are none of a database that is named beside it', async () => {
    const folder = await makeShopFolder();
    const shop = { DATABASE_URL_ORDER: 'postgres://r@s/shop', DATABASE_OWNER_URL_ORDER: 'postgres://o@s/shop', MESH_EVENTS_URL: 'postgres://e@s/shop', MESH_EVENTS_OWNER_URL: 'postgres://o@s/shop' };
    const status = { pid: process.pid, version: '0', topology: 'micro', startedAt: 0, consulUrl: '', jaegerUrl: '', processes: [] };
    const { controlSocket } = openDataFolder(folder.dataDir);
    const door = await openControlSocket(controlSocket, { status: () => status, environment: () => shop, stop: () => {} });
    const beside = async (flags: Environment) => (await settingsOfRunningShop({ MESH_DATA_DIR: folder.dataDir, ...flags })).settings;
    try {
      expect((await beside({})).ownerUrls.order).to.equal('postgres://o@s/shop');
      for (const flags of [{ DATABASE_URL: 'postgres://x/mine' }, { DATABASE_URL_ORDER: 'postgres://x/mine' }]) {
        expect((await beside(flags)).ownerUrls.order).to.equal('postgres://x/mine');
      }
      expect((await beside({ DATABASE_URL: 'postgres://x/mine' })).values).to.include({ MESH_EVENTS_URL: '', MESH_EVENTS_OWNER_URL: '' });
    } finally {
      await door.stop();
      await folder.remove();
    }
  });

  it('are nothing that a service\'s process below `mesh up` is told, nor are the databases of its siblings', () => {
    const all = {
      ...{ DATABASE_URL_ORDER: 'o', DATABASE_URL_USER: 'u', DATABASE_OWNER_URL: 'x', DATABASE_OWNER_URL_ORDER: 'x', MESH_EVENTS_URL: 'e' },
      ...{ MESH_EVENTS_OWNER_URL: 'x', STRIPE_SIMULATOR_DATABASE_URL: 'x', MESH_ZONE: 'a' },
    };
    expect(ownSettings(all, ['order'])).to.deep.equal({ DATABASE_URL_ORDER: 'o', MESH_EVENTS_URL: 'e', MESH_ZONE: 'a' });
  });

  it('are beside secrets that are one service\'s alone: the others\' processes do not have them', () => {
    expect(ownSettings({ STRIPE_WEBHOOK_SECRET: 's', SMTP_URL: 'm', MESH_ZONE: 'a' }, ['order'])).to.deep.equal({ MESH_ZONE: 'a' });
    expect(ownSettings({ STRIPE_WEBHOOK_SECRET: 's', MESH_ZONE: 'a' }, ['payment'])).to.deep.equal({ STRIPE_WEBHOOK_SECRET: 's', MESH_ZONE: 'a' });
  });
});
