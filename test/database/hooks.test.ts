import { expect } from 'chai';

import { type Database, type DatabaseHooks, isCommitUnknown } from '#database';
import { expectRefusal } from './expect-refusal.ts';
import { openTestDatabase } from './open-test-database.ts';
import { createTestDatabase, runSql, type TestDatabase } from './postgres-fixture.ts';
import { startProxy } from './cutting-proxy.ts';
import { until } from './until.ts';

describe('hooks around COMMIT', () => {
  const write = { name: 'mark.write', text: 'INSERT INTO mark VALUES ($1)' };
  const count = { name: 'mark.count', text: 'SELECT count(*) AS marks FROM mark' };
  let place: TestDatabase;
  let observer: Database;
  const opened: Database[] = [];

  before(async function () {
    this.timeout(20_000);
    place = await createTestDatabase();
    await runSql(place.url, 'CREATE SCHEMA shop; CREATE TABLE shop.mark (id int PRIMARY KEY)');
    observer = openTestDatabase({ url: place.url });
    opened.push(observer);
  });

  beforeEach(() => runSql(place.url, 'TRUNCATE shop.mark'));

  after(async () => {
    await Promise.all(opened.map((database) => database.stop()));
    await place.drop();
  });

  function openWith(hooks: DatabaseHooks, url = place.url): Database {
    const database = openTestDatabase({ url, hooks });
    opened.push(database);
    return database;
  }

  async function marks(): Promise<number> {
    const rows = await observer.query<{ marks: bigint }>(count, []);
    return Number(rows[0]?.marks);
  }

  it('are called once each, before and after it is there', async () => {
    const seen: [string, string, number][] = [];
    const database = openWith({
      beforeCommit: async (name) => void seen.push(['before', name, await marks()]),
      afterCommit: async (name) => void seen.push(['after', name, await marks()]),
    });
    await database.transaction('test.mark', (tx) => tx.query(write, [1]));
    expect(seen).to.deep.equal([['before', 'test.mark', 0], ['after', 'test.mark', 1]]);
  });

  it('are called around a statement outside of a transaction as well, which is one of its own', async () => {
    const seen: [string, string, number][] = [];
    const database = openWith({
      beforeCommit: async (name) => void seen.push(['before', name, await marks()]),
      afterCommit: async (name) => void seen.push(['after', name, await marks()]),
    });
    await database.query(write, [1]);
    expect(seen).to.deep.equal([['before', 'mark.write', 0], ['after', 'mark.write', 1]]);
  });

  it('roll back when the first one throws', async () => {
    const database = openWith({
      beforeCommit() {
        throw new Error('killed before');
      },
    });
    await expectRefusal('INTERNAL', database.transaction('test.mark', (tx) => tx.query(write, [1])));
    expect(await marks()).to.equal(0);
  });

  it('fail the caller but keep the change when the second one throws', async () => {
    const database = openWith({
      afterCommit() {
        throw new Error('killed after');
      },
    });
    await expectRefusal('INTERNAL', database.transaction('test.mark', (tx) => tx.query(write, [1])));
    expect(await marks()).to.equal(1);
  });

  for (const isForwarded of [true, false]) {
    it(`leave the outcome unknown when the connection is cut ${isForwarded ? 'after' : 'before'} COMMIT arrives`, async () => {
      const proxy = await startProxy(place.url);
      const database = openWith({ beforeCommit: () => proxy.cutAt('COMMIT', isForwarded) }, proxy.url);
      const work = database.transaction('test.cut', (tx) => tx.query(write, [1]));
      const error = await expectRefusal('DATABASE_UNAVAILABLE', work);
      expect(isCommitUnknown(error)).to.equal(true);
      expect(error.message).to.contain('same idempotency key');
      await until('it is there or not', async () => (await marks()) === (isForwarded ? 1 : 0));
      await database.stop();
      await proxy.stop();
    });
  }

  it('leave no doubt when the connection was lost before COMMIT is sent', async () => {
    let backend = 0;
    const database = openWith({ beforeCommit: () => runSql(place.url, `SELECT pg_terminate_backend(${backend}, 5000)`) });
    const work = database.transaction('test.cut', async (tx) => {
      await tx.query(write, [1]);
      const [row] = await tx.query<{ pid: number }>({ name: 'test.pid', text: 'SELECT pg_backend_pid() AS pid' }, []);
      backend = row?.pid ?? 0;
    });
    expect(isCommitUnknown(await expectRefusal('DATABASE_UNAVAILABLE', work))).to.equal(false);
    expect(await marks()).to.equal(0);
  });

  it('leave no doubt when the connection is cut by a statement', async () => {
    const database = openWith({});
    const work = database.transaction('test.cut', async (tx) => {
      await tx.query({ name: 'test.suicide', text: 'SELECT pg_terminate_backend(pg_backend_pid())' }, []);
    });
    const error = await expectRefusal('DATABASE_UNAVAILABLE', work);
    expect(isCommitUnknown(error)).to.equal(false);
    expect(await database.query(count, []), 'the next one works').to.deep.equal([{ marks: 0n }]);
  });
});
