import { expect } from 'chai';

import { type Database, isUniqueViolation, type Statement, type Transaction } from '#database';
import { refusal } from '#kit';
import { expectRefusal } from './expect-refusal.ts';
import { openTestDatabase } from './open-test-database.ts';
import { createTestDatabase, runSql, type TestDatabase } from './postgres-fixture.ts';

const read: Statement = { name: 'account.read', text: 'SELECT amount FROM account WHERE id = $1' };
const add: Statement = { name: 'account.add', text: 'UPDATE account SET amount = amount + $2 WHERE id = $1' };
const insert: Statement = { name: 'account.insert', text: 'INSERT INTO account VALUES ($1, $2)' };

describe('transactions', () => {
  let place: TestDatabase;
  let database: Database;

  before(async function () {
    this.timeout(20_000);
    place = await createTestDatabase();
    await runSql(
      place.url,
      `CREATE SCHEMA shop;
       CREATE TABLE shop.account (id int CONSTRAINT account_key PRIMARY KEY DEFERRABLE INITIALLY IMMEDIATE, amount int8)`,
    );
    database = openTestDatabase({ url: place.url });
  });

  beforeEach(() => runSql(place.url, 'TRUNCATE shop.account; INSERT INTO shop.account VALUES (1, 100), (2, 100)'));

  after(async () => {
    await database.stop();
    await place.drop();
  });

  async function amount(id: number): Promise<bigint | undefined> {
    const rows = await database.query<{ amount: bigint }>(read, [id]);
    return rows[0]?.amount;
  }

  async function move(tx: Transaction, from: number, to: number): Promise<void> {
    await tx.query(add, [from, -10]);
    await tx.query(add, [to, 10]);
  }

  it('commit what they did and return its result', async () => {
    const result = await database.transaction('test.move', async (tx) => {
      await move(tx, 1, 2);
      expect(await amount(1), 'seen from outside').to.equal(100n);
      return 'moved';
    });
    expect([result, await amount(1), await amount(2)]).to.deep.equal(['moved', 90n, 110n]);
  });

  it('roll back when their body throws, and throw the same', async () => {
    const reason = refusal('OUT_OF_STOCK', 'none left');
    const work = database.transaction('test.fail', async (tx) => {
      await move(tx, 1, 2);
      throw reason;
    });
    expect(await expectRefusal('OUT_OF_STOCK', work)).to.equal(reason);
    expect(await amount(1)).to.equal(100n);
  });

  it('run a deadlock loser again, and both have their effect', async () => {
    const { promise: bothHold, resolve } = Promise.withResolvers<void>();
    let holding = 0;
    let runs = 0;
    const cross = (from: number, to: number): Promise<void> =>
      database.transaction('test.cross', async (tx) => {
        runs += 1;
        await tx.query(add, [from, -10]);
        holding += 1;
        if (holding === 2) resolve();
        await bothHold;
        await tx.query(add, [to, 10]);
      });
    await Promise.all([cross(1, 2), cross(2, 1)]);
    // The loser may take its first row again before the winner has got it, and then they meet once more.
    expect(runs).to.be.at.least(3);
    expect([await amount(1), await amount(2)]).to.deep.equal([100n, 100n]);
  });

  it('run a serialization loser again, which then sees what the winner did', async () => {
    let runs = 0;
    const seen: (bigint | undefined)[] = [];
    await database.transaction(
      'test.serial',
      async (tx) => {
        runs += 1;
        seen.push((await tx.query<{ amount: bigint }>(read, [1]))[0]?.amount);
        if (runs === 1) await database.query(add, [1, 1]);
        await tx.query(add, [1, 1]);
      },
      { isolation: 'repeatable read' },
    );
    expect(seen).to.deep.equal([100n, 101n]);
    expect(await amount(1)).to.equal(102n);
  });

  it('give up after three repeats and say that it is worth another try', async () => {
    let runs = 0;
    const work = database.transaction(
      'test.hopeless',
      async (tx) => {
        runs += 1;
        await tx.query(read, [1]);
        await database.query(add, [1, 1]);
        await tx.query(add, [1, 1]);
      },
      { isolation: 'repeatable read' },
    );
    const error = await expectRefusal('DATABASE_UNAVAILABLE', work);
    expect(error.metadata['trouble']).to.equal('conflict');
    expect(runs).to.equal(4);
  });

  it('tell which constraint was violated', async () => {
    const twice = database.query(insert, [1, 0]);
    const error = await expectRefusal('INTERNAL', twice);
    expect(isUniqueViolation(error, 'account_key')).to.equal(true);
    expect(isUniqueViolation(error, 'another_key')).to.equal(false);
    expect(isUniqueViolation(new Error('none'), 'account_key')).to.equal(false);
    expect(error.message).not.to.contain('account');
  });

  it('notice a violation that shows at COMMIT only', async () => {
    const work = database.transaction('test.deferred', async (tx) => {
      await tx.query({ name: 'test.defer', text: 'SET CONSTRAINTS account_key DEFERRED' }, []);
      await tx.query(insert, [1, 0]);
    });
    expect(isUniqueViolation(await expectRefusal('INTERNAL', work), 'account_key')).to.equal(true);
  });

  it('do not pass for committed when a statement failed and the body kept it to itself', async () => {
    const work = database.transaction('test.swallow', async (tx) => {
      await tx.query(add, [1, 1]);
      await tx.query(insert, [1, 0]).catch(() => undefined);
    });
    const error = await expectRefusal('INTERNAL', work);
    expect(error.message).to.contain('test.swallow was rolled back');
    expect(await amount(1)).to.equal(100n);
  });

  it('refuse a statement after their end', async () => {
    let kept: Transaction | undefined;
    await database.transaction('test.kept', async (tx) => void (kept = tx));
    const late = kept?.query(add, [1, 1]) ?? Promise.resolve();
    const error = await expectRefusal('INTERNAL', late);
    expect(error.message).to.contain('after the end of transaction test.kept');
    expect(await amount(1)).to.equal(100n);
  });
});
