import { expect } from 'chai';

import { type Database, type FirstRequest, type IdempotencyStore, type KeyedRequest, startIdempotencySweep } from '#database';
import { refusal, silentLog, systemClock } from '#kit';
import { expectRefusal } from './expect-refusal.ts';
import { type IdempotencyFixture, startIdempotencyFixture, WAIT_MS } from './idempotency-fixture.ts';
import { until } from './until.ts';

const keys = { name: 'test.keys', text: 'SELECT count(*)::int AS count FROM idempotency_key' };

function request(change: Partial<KeyedRequest> = {}): KeyedRequest {
  return { method: 'PlaceOrder', caller: 'web', key: 'k', requestHash: new Uint8Array([1, 2]), ...change };
}

describe('idempotency keys', () => {
  let fixture: IdempotencyFixture;
  let database: Database;
  let store: IdempotencyStore;

  before(async function () {
    this.timeout(20_000);
    fixture = await startIdempotencyFixture();
    ({ database, store } = fixture);
  });

  beforeEach(() => fixture.clear());
  after(() => fixture?.stop());

  const count = async (statement: typeof keys): Promise<number> => (await database.query<{ count: number }>(statement, []))[0]?.count ?? -1;

  /** Claims a key for a resource and commits; undefined when it got it. */
  async function claimFor(resourceId: string, change?: Partial<KeyedRequest>, waitMs = WAIT_MS): Promise<FirstRequest | undefined> {
    const [first] = await database.transaction('test.claim', (tx) => store.claimResources(tx, [{ request: request(change), resourceId }], waitMs));
    return first;
  }

  /** Claims a key for an answer, commits, and returns the hold. */
  async function hold(holdMs: number, change?: Partial<KeyedRequest>): Promise<bigint> {
    const claim = await database.transaction('test.hold', (tx) => store.claim(tx, request(change), holdMs, WAIT_MS));
    if (!claim.claimed) throw new Error('the key was taken');
    return claim.hold;
  }

  const conclude = (held: bigint, ...answer: number[]): Promise<boolean> =>
    database.transaction('test.conclude', (tx) => store.conclude(tx, request(), held, new Uint8Array(answer)));

  const first = (resourceId: string, sameRequest = true) => ({ resourceId, sameRequest, answer: null, isHeld: false });

  it('are claimed once; a resend finds what the first request made', async () => {
    expect(await store.find(request())).to.equal(undefined);
    expect(await claimFor('order-1')).to.equal(undefined);
    expect(await claimFor('order-2')).to.deep.equal(first('order-1'));
    expect(await store.find(request())).to.deep.equal(first('order-1'));
  });

  it('tell another request under the same key', async () => {
    await claimFor('order-1');
    expect(await claimFor('order-2', { requestHash: new Uint8Array([1, 3]) })).to.deep.equal(first('order-1', false));
  });

  it('belong to one method and one caller', async () => {
    for (const change of [{}, { caller: 'app' }, { method: 'CancelOrder' }, { key: 'l' }]) {
      expect(await claimFor('order-1', change)).to.equal(undefined);
    }
  });

  it('are free again when their transaction rolled back', async () => {
    const failed = database.transaction('test.claim', async (tx) => {
      await store.claimResources(tx, [{ request: request(), resourceId: 'order-1' }], WAIT_MS);
      throw refusal('OUT_OF_STOCK', 'none left');
    });
    await expectRefusal('OUT_OF_STOCK', failed);
    expect(await claimFor('order-2')).to.equal(undefined);
  });

  /** Runs `meanwhile` while a transaction that has claimed the key is open; then it commits, or does not. */
  async function whileClaimed(commits: boolean, meanwhile: () => Promise<void>): Promise<void> {
    const { promise: end, resolve: finish } = Promise.withResolvers<void>();
    const { promise: claimed, resolve: announce } = Promise.withResolvers<void>();
    const open = database.transaction('test.claim', async (tx) => {
      await store.claimResources(tx, [{ request: request(), resourceId: 'order-1' }], WAIT_MS);
      announce();
      await end;
      if (!commits) throw refusal('OUT_OF_STOCK', 'none left');
    });
    open.catch(() => undefined);
    await claimed;
    await meanwhile().finally(finish);
    await open.catch(() => undefined);
  }

  for (const commits of [true, false]) {
    it(`make a second claim wait until the first one ${commits ? 'commits, and lose' : 'rolls back, and win'}`, async () => {
      let second: Promise<FirstRequest | undefined> | undefined;
      await whileClaimed(commits, async () => {
        second = claimFor('order-2');
        await until('the second one waits', async () => (await fixture.waiting()) === 1);
      });
      expect(await second).to.deep.equal(commits ? first('order-1') : undefined);
    });
  }

  it('make a second claim wait no longer than its caller does', async () => {
    await whileClaimed(true, async () => {
      await expectRefusal('DEADLINE_EXCEEDED', claimFor('order-2', {}, 20));
      expect(await fixture.waiting()).to.equal(0);
    });
  });

  it('are claimed once by twenty at the same time', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => claimFor(`order-${index}`)));
    expect(results.filter((result) => !result)).to.have.length(1);
    expect(new Set(results.flatMap((result) => result?.resourceId ?? [])).size).to.equal(1);
  });

  it('keep the answer that concludes their effect, once', async () => {
    const held = await hold(WAIT_MS);
    expect(await store.find(request())).to.deep.equal({ resourceId: '', sameRequest: true, answer: null, isHeld: true });
    expect(await conclude(held, 7, 0, 255)).to.equal(true);
    expect(await conclude(held, 8)).to.equal(false);
    const found = await store.find(request());
    expect([...(found?.answer ?? [])]).to.deep.equal([7, 0, 255]);
  });

  it('that are held are not claimed anew; when their time is over they are, and the late answer of the first holder is not taken', async () => {
    const late = await hold(0);
    const next = await hold(WAIT_MS);
    expect(await conclude(late, 1)).to.equal(false);
    const third = await database.transaction('test.hold', (tx) => store.claim(tx, request(), WAIT_MS, WAIT_MS));
    expect(third).to.deep.include({ claimed: false });
    expect(await conclude(next, 2)).to.equal(true);
  });

  it('that are out of time are claimed anew by the same request only, and never once they have an answer', async () => {
    const late = await hold(0);
    const other = await database.transaction('test.hold', (tx) =>
      store.claim(tx, request({ requestHash: new Uint8Array([9]) }), WAIT_MS, WAIT_MS),
    );
    expect(other).to.deep.equal({ claimed: false, first: first('', false) });
    expect(await conclude(late, 1)).to.equal(true);
    const again = await database.transaction('test.hold', (tx) => store.claim(tx, request(), WAIT_MS, WAIT_MS));
    expect(again.claimed).to.equal(false);
  });

  describe('that are old', () => {
    const age = { name: 'test.age', text: `UPDATE idempotency_key SET created_at = now() - $1 * interval '1 hour' WHERE key LIKE $2` };

    async function makeKeys(total: number, prefix: string, hours: number): Promise<void> {
      const text = `INSERT INTO idempotency_key (method, caller, key, request_hash, resource_id) SELECT 'm', '', $2 || n, '', '' FROM generate_series(1, $1::int) AS n`;
      await database.query({ name: 'test.many', text }, [total, prefix]);
      await database.query(age, [hours, `${prefix}%`]);
    }

    it('are swept after a day, batch after batch, by two instances at once', async () => {
      await makeKeys(2_500, 'old-', 25);
      await makeKeys(3, 'young-', 23);
      const sweeps = [1, 2].map(() => startIdempotencySweep(database, { clock: systemClock, log: silentLog }));
      await until('the old ones are gone', async () => (await count(keys)) <= 3);
      await Promise.all(sweeps.map((sweep) => sweep.stop()));
      expect(await count(keys)).to.equal(3);
    });

    it('and claimed by a transaction that is open are left alone', async () => {
      await hold(0);
      await database.query(age, [25, '%']);
      await database.transaction('test.again', async (tx) => {
        const claim = await store.claim(tx, request(), WAIT_MS, WAIT_MS);
        await startIdempotencySweep(database, { clock: systemClock, log: silentLog }).stop();
        expect(await store.conclude(tx, request(), claim.claimed ? claim.hold : 0n, new Uint8Array([1]))).to.equal(true);
      });
    });
  });
});
