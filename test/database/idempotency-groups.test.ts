import { expect } from 'chai';

import { createIdempotencyStore, type Database, type FirstRequest, type IdempotencyStore, type ResourceRequest, type Transaction } from '#database';

import { expectRefusal } from './expect-refusal.ts';
import { type IdempotencyFixture, startIdempotencyFixture, WAIT_MS } from './idempotency-fixture.ts';
import { planOf } from './plan-of.ts';
import { until } from './until.ts';

describe('the idempotency keys of a group of requests', () => {
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

  /** @param hash what tells the requests of one key apart */
  function wanting(key: string, resourceId: string, hash = 1): ResourceRequest {
    return { request: { method: 'PlaceOrder', caller: 'web', key, requestHash: new Uint8Array([hash]) }, resourceId };
  }
  const made = (resourceId: string, sameRequest = true): FirstRequest => ({ resourceId, sameRequest, answer: null, isHeld: false });
  const claim = (requests: readonly ResourceRequest[], waitMs = WAIT_MS) => database.transaction('test.claim', (tx) => store.claimResources(tx, requests, waitMs));

  /** Runs `meanwhile` while a transaction is open that has claimed the key `b`; then it claims `also`, and commits. */
  async function whileClaimed(also: readonly ResourceRequest[], meanwhile: () => Promise<unknown>): Promise<void> {
    const { promise: end, resolve: finish } = Promise.withResolvers<void>();
    const { promise: claimed, resolve: announce } = Promise.withResolvers<void>();
    const open = database.transaction('test.claim', async (tx) => {
      await store.claimResources(tx, [wanting('b', 'other-b')], WAIT_MS);
      announce();
      await end;
      await store.claimResources(tx, also, WAIT_MS);
    });
    await claimed;
    await meanwhile().finally(finish);
    await open;
  }

  it('are claimed together, and each request is answered by itself', async () => {
    await claim([wanting('old', 'order-0'), wanting('reused', 'order-1')]);
    const answers = await claim([wanting('new', 'order-2'), wanting('old', 'order-3'), wanting('reused', 'order-4', 2), wanting('fresh', 'order-5')]);
    expect(answers).to.deep.equal([undefined, made('order-0'), made('order-1', false), undefined]);
    for (const [key, id] of [['new', 'order-2'], ['fresh', 'order-5']] as const) expect(await store.find(wanting(key, '').request)).to.deep.equal(made(id));
  });

  it('that come twice in it are the first one\'s; the others hear of that one, and another request of being another', async () => {
    const answers = await claim([wanting('twice', 'order-1'), wanting('twice', 'order-2'), wanting('twice', 'order-3', 2), wanting('once', 'order-4')]);
    expect(answers).to.deep.equal([undefined, made('order-1'), made('order-1', false), undefined]);
  });

  it('are all free again when their transaction rolled back', async () => {
    const failing = async (tx: Transaction) => {
      await store.claimResources(tx, [wanting('a', 'order-1'), wanting('b', 'order-2')], WAIT_MS);
      throw new Error('it cannot be written');
    };
    await database.transaction('test.claim', failing).catch(() => undefined);
    expect(await claim([wanting('a', 'order-3'), wanting('b', 'order-4')])).to.deep.equal([undefined, undefined]);
  });

  it('that were held for an answer, and let go, are claimed anew, for the resource', async () => {
    const { request } = wanting('a', '');
    await database.transaction('test.hold', (tx) => store.claim(tx, request, 0, WAIT_MS));
    expect(await claim([wanting('a', 'order-1')])).to.deep.equal([undefined]);
    expect(await store.find(request)).to.deep.equal(made('order-1'));
  });

  it('are claimed in one order: two groups whose keys cross do not break each other off', async () => {
    let runs = 0;
    let group: Promise<readonly (FirstRequest | undefined)[]> | undefined;
    // Claimed as they came, the group would have c by now, and wait for b, while the other transaction waits for c.
    await whileClaimed([wanting('c', 'other-c')], async () => {
      group = database.transaction('test.claim', (tx) => {
        runs += 1;
        return store.claimResources(tx, [wanting('c', 'order-1'), wanting('b', 'order-2')], WAIT_MS);
      });
      await until('the group waits', async () => (await fixture.waiting()) === 1);
    });
    expect(await group).to.deep.equal([made('other-c'), made('other-b')]);
    expect(runs, 'a transaction that is broken off runs again').to.equal(1);
  });

  it('wait for somebody else\'s claim no longer than they are told, and then none of them is claimed', async () => {
    await whileClaimed([], () => expectRefusal('DEADLINE_EXCEEDED', claim([wanting('a', 'order-1'), wanting('b', 'order-2')], 20)));
    expect(await claim([wanting('a', 'order-3'), wanting('b', 'order-4')])).to.deep.equal([undefined, made('other-b')]);
  });

  it('let the rest of their transaction wait as long as it has to', async () => {
    const limit = await database.transaction('test.claim', async (tx) => {
      await store.claimResources(tx, [wanting('a', 'order-1')], 1);
      return tx.query({ name: 'test.limit', text: 'SHOW lock_timeout' }, []);
    });
    expect(limit).to.deep.equal([{ lock_timeout: '0' }]);
  });

  it('are looked for by the primary key, also when that was planned while the table was empty', async () => {
    const looking = (): Promise<string> => planOf(fixture.url, (db) => createIdempotencyStore(db).find(wanting('a', '').request));
    expect(await looking()).to.include('Index Scan using idempotency_key_pkey').and.not.include('Seq Scan');
    await claim(Array.from({ length: 1_000 }, (_, index) => wanting(`key-${index}`, `order-${index}`)));
    await database.query({ name: 'test.analyze', text: 'ANALYZE idempotency_key' }, []);
    expect(await looking()).to.include('Index Scan using idempotency_key_pkey').and.not.include('Seq Scan');
  });
});
