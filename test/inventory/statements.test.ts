import { expect } from 'chai';

import { type Database, migrate } from '#database';
import { silentLog } from '#kit';

import { reserveAll } from '../../services/inventory/reserve.ts';
import { service } from '../../services/inventory/service.ts';
import { findReservations, setStock } from '../../services/inventory/store.ts';
import { commitReservations, expireReservations, releaseReservations, restockReservations } from '../../services/inventory/transition.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { planOf } from '../database/plan-of.ts';
import { createTestDatabase, type TestDatabase } from '../database/postgres-fixture.ts';

describe('the statements of reservations', function () {
  this.timeout(20_000);
  let place: TestDatabase;
  let database: Database;
  before(async () => {
    place = await createTestDatabase();
    await migrate({ url: place.url, schema: 'shop', components: service.migrations, log: silentLog });
    database = openTestDatabase({ url: place.url });
  });
  after(async () => {
    await database?.stop();
    await place?.drop();
  });

  const order = { orderId: 'order', lines: [{ productId: 'beans', quantity: 1 }] };

  it('go by the primary keys, and to what is due by its index, also when they were planned while the tables were empty', async () => {
    const given = [commitReservations, releaseReservations, restockReservations, findReservations];
    const plans = await Promise.all([
      planOf(place.url, (db) => reserveAll(db, [order], 1_000)),
      ...given.map((run) => planOf(place.url, (db) => run(db, [order.orderId]))),
    ]);
    for (const plan of plans) expect(plan).to.not.match(/Seq Scan on (stock|reservation)|reservation_due/);
    const expiring = await planOf(place.url, (db) => expireReservations(db, 100));
    expect(expiring).to.include('reservation_due').and.not.match(/Seq Scan on (stock|reservation)/);
  });

  it('leave the index of the stock alone: its row is updated in place', async () => {
    await setStock(database, 'beans', 10n);
    const counted = await database.transaction('test.hot', async (tx) => {
      await reserveAll(tx, [order], 60_000);
      for (const move of [commitReservations, restockReservations]) await move(tx, [order.orderId]);
      const text = `SELECT pg_stat_get_xact_tuples_updated('stock'::regclass)::int AS updated, pg_stat_get_xact_tuples_hot_updated('stock'::regclass)::int AS in_place`;
      return tx.query({ name: 'test.hot', text }, []);
    });
    expect(counted).to.deep.equal([{ updated: 3, in_place: 3 }]);
  });
});
