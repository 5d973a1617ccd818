import { expect } from 'chai';

import type { Database } from '#database';
import { expectRefusal } from './expect-refusal.ts';
import { openTestDatabase } from './open-test-database.ts';
import { createTestDatabase, runSql, type TestDatabase } from './postgres-fixture.ts';

describe('statements', () => {
  let place: TestDatabase;
  let database: Database;

  before(async function () {
    this.timeout(20_000);
    place = await createTestDatabase();
    // Both names are keywords, as a service's may be.
    await runSql(
      place.url,
      `CREATE SCHEMA "order"; CREATE TABLE "order".note (id int PRIMARY KEY, text text);
       CREATE SCHEMA "user"; CREATE TABLE "user".note (id int PRIMARY KEY, text text)`,
    );
    database = openTestDatabase({ url: place.url, schema: 'order' });
  });

  after(async () => {
    await database.stop();
    await place.drop();
  });

  it('keep every digit of an int8, and give dates, bytes and json as documented', async () => {
    const text = `SELECT $1::int8 AS minor, ARRAY[1, NULL, 9007199254740993]::int8[] AS many,
                  DATE '2024-02-29' AS day, TIMESTAMPTZ '2024-02-29T12:00:00.123Z' AS moment,
                  '\\x00ff'::bytea AS bytes, '{"a": [1]}'::jsonb AS json, 1.10::numeric AS price, NULL::int8 AS nothing`;
    const [row] = await database.query({ name: 'test.types', text }, [9223372036854775807n]);
    expect(row).to.deep.equal({
      minor: 9223372036854775807n,
      many: [1n, null, 9007199254740993n],
      day: '2024-02-29',
      moment: new Date('2024-02-29T12:00:00.123Z'),
      bytes: Buffer.from([0, 255]),
      json: { a: [1] },
      price: '1.10',
      nothing: null,
    });
  });

  it('see their own schema only', async () => {
    const other = openTestDatabase({ url: place.url, schema: 'user' });
    const insert = { name: 'note.insert', text: 'INSERT INTO note VALUES ($1, $2)' };
    const list = { name: 'note.list', text: 'SELECT text FROM note' };
    await database.query(insert, [1, 'of the order']);
    await other.query(insert, [1, 'of the user']);
    expect(await database.query(list, [])).to.deep.equal([{ text: 'of the order' }]);
    expect(await other.query(list, [])).to.deep.equal([{ text: 'of the user' }]);
    await other.stop();
  });

  it('see their schema also when the URL brings options of its own', async () => {
    const url = new URL(place.url);
    url.searchParams.set('options', '-c search_path=user');
    const other = openTestDatabase({ url: url.href, schema: 'order' });
    const text = 'SHOW search_path';
    expect(await other.query({ name: 'test.path', text }, [])).to.deep.equal([{ search_path: '"order"' }]);
    await other.stop();
  });

  it('are prepared under their names', async () => {
    const single = openTestDatabase({ url: place.url, schema: 'order', maxConnections: 1 });
    const statement = { name: 'test.prepared', text: 'SELECT name FROM pg_prepared_statements WHERE name = $1' };
    expect(await single.query(statement, ['test.prepared'])).to.deep.equal([{ name: 'test.prepared' }]);
    await single.stop();
  });

  it('run again when a migration has changed what they return', async () => {
    const statement = { name: 'test.star', text: 'SELECT * FROM star' };
    await runSql(place.url, 'CREATE TABLE "order".star (a int); INSERT INTO "order".star VALUES (1)');
    expect(await database.query(statement, [])).to.deep.equal([{ a: 1 }]);
    await runSql(place.url, 'ALTER TABLE "order".star ADD COLUMN b int');
    expect(await database.query(statement, [])).to.deep.equal([{ a: 1, b: null }]);
  });

  it('keep their connection when they fail', async () => {
    const single = openTestDatabase({ url: place.url, schema: 'order', maxConnections: 1 });
    const backend = { name: 'test.backend', text: 'SELECT pg_backend_pid() AS pid' };
    const before = await single.query(backend, []);
    await expectRefusal('INTERNAL', single.query({ name: 'test.bad', text: 'SELECT 1 / $1::int' }, [0]));
    expect(await single.query(backend, [])).to.deep.equal(before);
    await single.stop();
  });

  it('are refused after stop, and stop may be called twice', async () => {
    const other = openTestDatabase({ url: place.url, schema: 'order' });
    await other.stop();
    await other.stop();
    const error = await expectRefusal('DATABASE_UNAVAILABLE', other.query({ name: 'test.one', text: 'SELECT 1' }, []));
    expect(error.message).to.contain('shutting down');
  });

  for (const schema of ['Order', 'a;b', '"x"', '', 'a b', 'a'.repeat(64)]) {
    it(`refuse "${schema.slice(0, 5)}" as the name of a schema`, () => {
      expect(() => openTestDatabase({ url: place.url, schema })).to.throw(/cannot name a schema/);
    });
  }
});
