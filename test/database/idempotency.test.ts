import { expect } from 'chai';

import { claimKey, type Database, idempotencyMigrations, type KeyClaim, type KeyClaimResult, migrate } from '#database';
import { refusal, silentLog } from '#kit';
import { expectRefusal } from './expect-refusal.ts';
import { openTestDatabase } from './open-test-database.ts';
import { createTestDatabase, type TestDatabase } from './postgres-fixture.ts';
import { until } from './until.ts';

const waiting = {
  name: 'test.waiting',
  text: `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
};

function claim(change: Partial<KeyClaim> = {}): KeyClaim {
  return { method: 'PlaceOrder', caller: 'web', key: 'k', requestHash: new Uint8Array([1, 2]), resourceId: 'order-1', ...change };
}

describe('idempotency keys', () => {
  let place: TestDatabase;
  let database: Database;

  before(async function () {
    this.timeout(20_000);
    place = await createTestDatabase();
    await migrate({ url: place.url, schema: 'shop', components: [idempotencyMigrations], log: silentLog });
    database = openTestDatabase({ url: place.url });
  });

  beforeEach(() => database.query({ name: 'test.clear', text: 'DELETE FROM idempotency_key' }, []));

  after(async () => {
    await database.stop();
    await place.drop();
  });

  function commit(change?: Partial<KeyClaim>): Promise<KeyClaimResult> {
    return database.transaction('test.claim', (tx) => claimKey(tx, claim(change)));
  }

  it('are claimed once; a resend finds what the first request made', async () => {
    expect(await commit()).to.deep.equal({ claimed: true });
    expect(await commit({ resourceId: 'order-2' })).to.deep.equal({ claimed: false, resourceId: 'order-1', sameRequest: true });
  });

  it('tell another request under the same key', async () => {
    await commit();
    const other = await commit({ requestHash: new Uint8Array([1, 3]) });
    expect(other).to.deep.equal({ claimed: false, resourceId: 'order-1', sameRequest: false });
  });

  it('belong to one method and one caller', async () => {
    for (const change of [{}, { caller: 'app' }, { method: 'CancelOrder' }, { key: 'l' }]) {
      expect(await commit(change)).to.deep.equal({ claimed: true });
    }
  });

  it('are free again when their transaction rolled back', async () => {
    const failed = database.transaction('test.claim', async (tx) => {
      await claimKey(tx, claim());
      throw refusal('OUT_OF_STOCK', 'none left');
    });
    await expectRefusal('OUT_OF_STOCK', failed);
    expect(await commit()).to.deep.equal({ claimed: true });
  });

  for (const commits of [true, false]) {
    it(`make a second claim wait until the first one ${commits ? 'commits, and lose' : 'rolls back, and win'}`, async () => {
      const { promise: end, resolve: finish } = Promise.withResolvers<void>();
      const { promise: claimed, resolve: announce } = Promise.withResolvers<void>();
      const first = database.transaction('test.claim', async (tx) => {
        await claimKey(tx, claim());
        announce();
        await end;
        if (!commits) throw refusal('OUT_OF_STOCK', 'none left');
      });
      first.catch(() => undefined);
      await claimed;
      const second = commit({ resourceId: 'order-2' });
      await until('the second one waits', async () => (await database.query<{ waiting: number }>(waiting, []))[0]?.waiting === 1);
      finish();
      await first.catch(() => undefined);
      const lost = { claimed: false, resourceId: 'order-1', sameRequest: true };
      expect(await second).to.deep.equal(commits ? lost : { claimed: true });
    });
  }

  it('are claimed once by twenty at the same time', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => commit({ resourceId: `order-${index}` })));
    expect(results.filter(({ claimed }) => claimed)).to.have.length(1);
    const ids = new Set(results.flatMap((result) => (result.claimed ? [] : [result.resourceId])));
    expect(ids.size).to.equal(1);
  });
});
