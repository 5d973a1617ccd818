import { setTimeout as delay } from 'node:timers/promises';

import { expect } from 'chai';

import { fillShop } from '../../bench/orders/fill-shop.ts';
import { keepRunning } from '../../bench/orders/keep-running.ts';
import { measureLoad } from '../../bench/orders/load.ts';
import { readPostgresSettings } from '../../bench/orders/postgres-settings.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase, runSql, type TestDatabase } from '../database/postgres-fixture.ts';

describe('orders at a pace', () => {
  it('count from when they were due, also where their process was too busy to send them', async () => {
    let made = 0;
    async function placeOrder(): Promise<void> {
      made += 1;
      // The first one keeps the only thread, while 150 more become due.
      for (const until = performance.now() + 150; made === 1 && performance.now() < until; );
    }
    const { p50Ms, orders } = await measureLoad(placeOrder, { pace: { perSecond: 1_000 }, warmUpMs: 0, ms: 200 });
    expect(orders, 'all that were due').to.be.at.least(199);
    expect(p50Ms).to.be.above(20);
  });

  it('are one at least, at however slow a pace', async () => {
    const { p99Ms, orders } = await measureLoad(async () => {}, { pace: { perSecond: 20 }, warmUpMs: 10, ms: 10 });
    expect(orders).to.equal(2);
    expect(p99Ms).not.to.be.NaN;
  });

  it('that fail are counted apart, with what they said', async () => {
    const slice = await measureLoad(() => Promise.reject(new Error('no')), { pace: { perSecond: 100 }, warmUpMs: 0, ms: 50 });
    expect(slice).to.include({ failed: slice.orders, failure: 'no', ordersPerSecond: 0 });
  });

  it('of a closed loop are never more than asked for', async () => {
    let underWay = 0;
    let most = 0;
    async function placeOrder(): Promise<void> {
      underWay += 1;
      most = Math.max(most, underWay);
      await delay(1);
      underWay -= 1;
    }
    await measureLoad(placeOrder, { pace: { inFlight: 3 }, warmUpMs: 10, ms: 40 });
    expect(most).to.equal(3);
  });
});

describe('work that is kept running', () => {
  it('counts what ended in time', async () => {
    expect(await keepRunning(() => delay(5), { inFlight: 2, ms: 100 })).to.be.within(10, 400);
  });
});

describe('a shop that is filled', () => {
  let test: TestDatabase;

  before(async function () {
    this.timeout(20_000);
    test = await createTestDatabase();
  });

  after(() => test.drop());

  it('has so many orders, each with its own rows in every table, and nothing else has grown', async () => {
    const id = (n: number): string => `0189000${n}-0000-7000-8000-000000000000`;
    await runSql(
      test.url,
      `CREATE SCHEMA "order";
       CREATE TABLE "order".orders (order_id text PRIMARY KEY, position bigint GENERATED ALWAYS AS IDENTITY, state text NOT NULL DEFAULT 'CONFIRMED', lines jsonb NOT NULL);
       CREATE TABLE "order".order_change (order_id text NOT NULL REFERENCES "order".orders, sequence integer, hash bytea, PRIMARY KEY (order_id, sequence));
       CREATE TABLE "order".outbox (event_id text PRIMARY KEY);
       CREATE TABLE "order".setting (name text PRIMARY KEY);
       INSERT INTO "order".orders (order_id, lines) VALUES ('${id(1)}', '[{"of": "${id(1)}"}]'), ('${id(2)}', '[]');
       INSERT INTO "order".order_change VALUES ('${id(1)}', 1, '\\x00ff'), ('${id(1)}', 2, '\\x01'), ('${id(2)}', 1, '\\x02');
       INSERT INTO "order".outbox VALUES ('${id(3)}'); INSERT INTO "order".setting VALUES ('one');`,
    );
    const lines: string[] = [];
    await fillShop({ order: test.url }, 250, (line) => lines.push(line));

    const db = openTestDatabase({ url: test.url, schema: 'order' });
    const counted = await db.query<Record<string, number>>(
      {
        name: 'test.counted',
        text: `SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM order_change JOIN orders USING (order_id)) AS changes,
                 (SELECT count(*)::int FROM outbox) AS outbox, (SELECT count(*)::int FROM setting) AS settings,
                 (SELECT count(*)::int FROM orders WHERE lines->0->>'of' = order_id) AS own_lines`,
      },
      [],
    );
    await db.stop();
    expect(counted).to.deep.equal([{ orders: 250, changes: 375, outbox: 1, settings: 1, own_lines: 125 }]);
    expect(lines).to.deep.equal(['order: filled "order".order_change, "order".orders']);
  });

  it('stands on a Postgres that says it loses no commit', async () => {
    expect(await readPostgresSettings(test.url)).to.include('fsync=on synchronous_commit=on');
  });
});
