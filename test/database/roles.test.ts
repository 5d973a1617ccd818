import { expect } from 'chai';

import { applicationRole, ensureDatabase, ensureRoles, grantAccess, type MigrationComponent, schemaState } from '#database';
import { expectRefusal } from './expect-refusal.ts';
import { openTestDatabase } from './open-test-database.ts';
import { runSql } from './postgres-fixture.ts';
import { allowed, makeRoles, type RolesFixture, rowsOf } from './roles-fixture.ts';

const ORDER = {
  '001.do.order.sql': `
    CREATE TABLE orders (order_id text PRIMARY KEY, position bigint GENERATED ALWAYS AS IDENTITY, state text NOT NULL DEFAULT 'PENDING');
    CREATE SEQUENCE ticket;
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no such transition' USING ERRCODE = 'check_violation'; END $$;
    CREATE TRIGGER order_transition BEFORE UPDATE ON orders FOR EACH ROW WHEN (OLD.state = 'CONFIRMED') EXECUTE FUNCTION refuse_change();`,
};
const PAYMENT = { '001.do.payment.sql': `CREATE TABLE payment (order_id text); INSERT INTO payment VALUES ('secret'); CREATE FUNCTION tell() RETURNS text LANGUAGE sql AS $$ SELECT order_id FROM payment.payment $$;` };

/** What only the owner of tables may do, or a superuser. */
const FORBIDDEN = {
  'read a sibling\'s table': 'SELECT * FROM payment.payment',
  'write a sibling\'s table': `INSERT INTO payment.payment VALUES ('x')`,
  'run a sibling\'s function': 'SELECT payment.tell()',
  'write which migrations were applied': 'DELETE FROM "order".migration_order',
  'make a table': 'CREATE TABLE "order".mine (id int)',
  'make a temporary table': 'CREATE TEMP TABLE mine (id int)',
  'make a table in the public schema': 'CREATE TABLE public.mine (id int)',
  'make a schema': 'CREATE SCHEMA mine',
  'make a function': `CREATE FUNCTION "order".mine() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
  'change a function': 'ALTER FUNCTION "order".refuse_change() RENAME TO other',
  'change a table': 'ALTER TABLE "order".orders ADD COLUMN mine int',
  'make an index': 'CREATE INDEX ON "order".orders (state)',
  'drop a table': 'DROP TABLE "order".orders',
  'empty a table': 'TRUNCATE "order".orders',
  'switch a trigger off': 'ALTER TABLE "order".orders DISABLE TRIGGER order_transition',
  'drop a trigger': 'DROP TRIGGER order_transition ON "order".orders',
  'make a trigger': 'CREATE TRIGGER mine BEFORE UPDATE ON "order".orders FOR EACH ROW EXECUTE FUNCTION "order".refuse_change()',
  'switch all triggers off': 'SET session_replication_role = replica',
  'set a sequence back': `SELECT setval('"order".ticket', 1)`,
  'read passwords': 'SELECT rolpassword FROM pg_authid',
  'make a role': 'CREATE ROLE mine',
  'read the server\'s files': `SELECT pg_read_file('PG_VERSION')`,
  'run programs': `COPY (SELECT 1) TO PROGRAM 'cat > /dev/null'`,
} as const;

describe('the role of a service', function () {
  this.timeout(20_000);
  let roles: RolesFixture;
  let order: MigrationComponent;
  let payment: MigrationComponent;
  let forbidden: Readonly<Record<string, string>>;

  before(async () => {
    roles = await makeRoles();
    [order, payment] = [await roles.component('order', ORDER), await roles.component('payment', PAYMENT)];
    for (const [schema, component] of [['order', order], ['payment', payment]] as const) {
      await roles.migrate(schema, [component]);
      await roles.grant(schema, [component]);
    }
    const owner = new URL(roles.ownerUrl).username;
    forbidden = { ...FORBIDDEN, 'become the owner': `SET ROLE ${owner}`, 'be the owner from the start': `SET SESSION AUTHORIZATION ${owner}` };
  });
  after(() => roles?.remove());

  it('works on its own tables', async () => {
    const url = roles.roleUrl('order');
    expect(await rowsOf(url, `INSERT INTO "order".orders (order_id) VALUES ('o1') RETURNING position::int`)).to.deep.equal([{ position: 1 }]);
    expect(await rowsOf(url, `UPDATE "order".orders SET state = 'CONFIRMED' RETURNING order_id`)).to.have.length(1);
    expect(await rowsOf(url, `SELECT nextval('"order".ticket')::int AS ticket`)).to.deep.equal([{ ticket: 1 }]);
    expect(await rowsOf(url, 'DELETE FROM "order".orders RETURNING order_id')).to.deep.equal([{ order_id: 'o1' }]);
  });

  it('is bound by the guards of its tables', async () => {
    const url = roles.roleUrl('order');
    await rowsOf(url, `INSERT INTO "order".orders (order_id, state) VALUES ('o2', 'CONFIRMED')`);
    const refused = await rowsOf(url, `UPDATE "order".orders SET state = 'PENDING' WHERE order_id = 'o2'`).catch((thrown: unknown) => thrown);
    expect(String(refused)).to.include('no such transition');
  });

  it('sees which migrations its schema has, as a service needs at its start', async () => {
    const database = openTestDatabase({ url: roles.roleUrl('order'), schema: 'order' });
    expect((await schemaState(database, [order])).state).to.equal('up-to-date');
    await database.stop();
  });

  it('may do nothing that is its owner\'s', async () => {
    expect(await allowed(roles.roleUrl('order'), forbidden)).to.deep.equal([]);
  });

  it('could do all of that as a superuser, so each is refused for want of a privilege alone', async () => {
    await runSql(roles.url, `ALTER ROLE "${roles.role('order')}" SUPERUSER`);
    try {
      expect(await allowed(roles.roleUrl('order'), forbidden)).to.deep.equal(Object.keys(forbidden));
    } finally {
      await runSql(roles.url, `ALTER ROLE "${roles.role('order')}" NOSUPERUSER`);
    }
  });

  it('loses what somebody has granted it by hand in its own schema', async () => {
    const role = `"${roles.role('order')}"`;
    await runSql(roles.url, `GRANT ALL ON SCHEMA "order" TO ${role}; GRANT ALL ON ALL TABLES IN SCHEMA "order" TO ${role}; GRANT SELECT ON "order".orders TO PUBLIC`);
    expect(await allowed(roles.roleUrl('order'), forbidden)).to.include.members(['make a table', 'empty a table', 'write which migrations were applied']);
    await roles.grant('order', [order]);
    expect(await allowed(roles.roleUrl('order'), forbidden)).to.deep.equal([]);
  });

  it('works on a table that a later migration adds, also before it is let in again', async () => {
    await roles.component('order', { '002.do.note.sql': 'CREATE TABLE note (text text); CREATE SEQUENCE note_ticket' });
    await roles.migrate('order', [order]);
    const url = roles.roleUrl('order');
    await rowsOf(url, `INSERT INTO "order".note VALUES ('x')`);
    expect(await rowsOf(url, `SELECT text, nextval('"order".note_ticket')::int AS ticket FROM "order".note`)).to.deep.equal([{ text: 'x', ticket: 1 }]);
    expect(await allowed(url, { truncate: 'TRUNCATE "order".note', drop: 'DROP TABLE "order".note' })).to.deep.equal([]);
  });

  it('gets another password when it is let in again, and the one before is no good any more', async () => {
    await roles.grant('payment', [payment], 'tables', 'another-1');
    expect(await rowsOf(roles.roleUrl('payment', 'another-1'), 'SELECT 1 AS one')).to.deep.equal([{ one: 1 }]);
    const refused = await rowsOf(roles.roleUrl('payment'), 'SELECT 1').catch((thrown: unknown) => thrown);
    expect(refused).to.include({ code: '28P01' });
  });

  it('is made once when many come at the same time', async () => {
    const shipping = await roles.component('shipping', { '001.do.shipment.sql': 'CREATE TABLE shipment (id int)' });
    await roles.migrate('shipping', [shipping]);
    await Promise.all(Array.from({ length: 6 }, () => roles.grant('shipping', [shipping])));
    expect(await rowsOf(roles.roleUrl('shipping'), 'SELECT * FROM shipping.shipment')).to.deep.equal([]);
  });

  it('is never one that may do more than log in', async () => {
    const error = await expectRefusal('INVALID_SETTING', grantAccess({ ownerUrl: roles.ownerUrl, url: roles.url, schema: 'order', components: [order], access: 'tables' }));
    expect(error.message).to.include(`the role "${new URL(roles.url).username}" may do more`);
  });

  it('is no member of a role that may do more, while one that only says how it logs in is nothing to it', async () => {
    const member = roles.role('order');
    const how = `${member}.login`;
    for (const more of [roles.role('payment'), 'pg_read_all_data']) {
      await runSql(roles.url, `GRANT "${more}" TO "${member}"`);
      try {
        const error = await expectRefusal('INVALID_SETTING', roles.grant('order', [order]));
        expect(error.message, more).to.include(`the role "${member}" may do more`).and.include('as a member of another role');
      } finally {
        await runSql(roles.url, `REVOKE "${more}" FROM "${member}"`);
      }
    }
    await runSql(roles.url, `CREATE ROLE "${how}"; GRANT "${how}" TO "${member}"`);
    try {
      await roles.grant('order', [order]);
    } finally {
      await runSql(roles.url, `DROP ROLE "${how}"`);
    }
  });

  it('has a password that every program prepares alike', async () => {
    const refused = await expectRefusal('INVALID_SETTING', roles.grant('order', [order], 'tables', 'pässword'));
    expect(refused.message).to.include('printable ASCII').and.not.include('pässword');
  });

  describe('whose owner may not make roles', () => {
    const owner = (): string => new URL(roles.ownerUrl).username;
    before(() => runSql(roles.url, `ALTER ROLE ${owner()} NOCREATEROLE`));
    after(() => runSql(roles.url, `ALTER ROLE ${owner()} CREATEROLE`));

    it('has to be made by hand, and the refusal says how', async () => {
      const absent = roles.roleUrl('absent');
      const error = await expectRefusal('DATABASE_UNAVAILABLE', grantAccess({ ownerUrl: roles.ownerUrl, url: absent, schema: 'order', components: [order], access: 'tables' }));
      expect(error.message).to.include(`CREATE ROLE "${roles.role('absent')}" LOGIN`).and.not.include('application');
    });

    it('keeps its password where it is there, and is let in', async () => {
      await roles.grant('order', [order], 'tables', 'ignored');
      expect(await rowsOf(roles.roleUrl('order'), 'SELECT text FROM "order".note')).to.deep.equal([{ text: 'x' }]);
    });
  });

  describe('in a database of another service', () => {
    let other: string;
    before(async () => {
      other = `${roles.url}_other`;
      await ensureDatabase(other);
    });
    after(() => runSql(roles.url, `DROP DATABASE "${new URL(other).pathname.slice(1)}" WITH (FORCE)`));

    it('does not get in, where that was made here', async () => {
      const there = new URL(roles.roleUrl('order'));
      there.pathname = new URL(other).pathname;
      expect(await rowsOf(there.href, 'SELECT 1').catch((thrown: unknown) => thrown)).to.include({ code: '42501' });
    });
  });

  describe('of many services', () => {
    it('are made by one statement, and made anew by the same', async () => {
      const wanted = ['a', 'b', 'c'].map((schema) => ({ name: roles.role(schema), password: `first-${schema}` }));
      await ensureRoles(roles.ownerUrl, wanted);
      await ensureRoles(roles.ownerUrl, wanted.map(({ name }) => ({ name, password: 'second' })));
      for (const schema of ['a', 'b', 'c']) expect(await rowsOf(roles.roleUrl(schema, 'second'), 'SELECT current_user AS me').catch(() => [])).to.deep.equal([]);
      await runSql(roles.ownerUrl, wanted.map(({ name }) => `GRANT CONNECT ON DATABASE ${new URL(roles.url).pathname.slice(1)} TO "${name}"`).join(';'));
      for (const schema of ['a', 'b', 'c']) expect(await rowsOf(roles.roleUrl(schema, 'second'), 'SELECT current_user AS me')).to.deep.equal([{ me: roles.role(schema) }]);
    });
  });
});

describe('the name of a service\'s role', () => {
  it('has the database in it, so that two shops on one server have different ones', () => {
    expect(applicationRole('shop', 'order')).to.equal('shop.order');
    expect(applicationRole('shop_order', 'order')).to.equal('shop_order.order');
  });

  it('is no longer than Postgres keeps, and yet different for long names that begin alike', () => {
    const [one, other] = ['a', 'b'].map((end) => applicationRole(`${'long_'.repeat(12)}${end}`, 'notification'));
    expect(one).to.match(/^[0-9a-f]{12}\.notification$/);
    expect(other).not.to.equal(one);
    expect(Buffer.byteLength(applicationRole('ü'.repeat(40), 'order'))).to.be.at.most(63);
  });
});
