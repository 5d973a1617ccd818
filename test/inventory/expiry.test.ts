import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import { refusal } from '#kit';
import { ReservationState } from '#proto/shop/inventory/v1/inventory_pb.js';

import { expectRefusal } from '../database/expect-refusal.ts';
import { until } from '../database/until.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { type Inventory, type InventoryOptions, startInventory } from './inventory-fixture.ts';
import { lockStock, waiting } from './stock-lock.ts';

const SHORT_MS = 50;
const LONG_MS = 15 * 60_000;

describe('a reservation that runs out', function () {
  this.timeout(30_000);
  let inventory: Inventory | undefined;
  afterEach(async () => {
    await inventory?.stop();
    inventory = undefined;
  });

  async function start(options: InventoryOptions): Promise<Inventory> {
    inventory = await startInventory(options);
    await inventory.asleep();
    return inventory;
  }

  async function reserve({ client }: Inventory, productIds: readonly string[]): Promise<string> {
    const orderId = randomUUID();
    await client.reserve({ orderId, lines: productIds.map((productId) => ({ productId, quantity: 1 })) });
    return orderId;
  }

  /** [available, reserved, sold]; fails unless they add up to what was received. */
  async function pilesOf({ client }: Inventory, productId: string): Promise<bigint[]> {
    const { stock } = await client.getStock({ productId });
    const piles = [stock?.available ?? -1n, stock?.reserved ?? -1n, stock?.sold ?? -1n];
    expect(piles.reduce((sum, pile) => sum + pile)).to.equal(stock?.received);
    return piles;
  }

  async function statesOf({ database }: Inventory): Promise<Record<string, number>> {
    const count = { name: 'test.states', text: 'SELECT state, count(*)::integer AS orders FROM reservation GROUP BY state' };
    const rows = await database.query<{ state: string; orders: number }>(count, []);
    return Object.fromEntries(rows.map(({ state, orders }) => [state, orders]));
  }

  it('gives its goods back once, however many instances look for it', async () => {
    const shop = await start({ instances: 3, ttlMs: SHORT_MS });
    const [a, b] = [await shop.newProduct(300n), await shop.newProduct(300n)];
    // More than two batches; a deadlock, were stock locked as the orders name it.
    for (let wave = 0; wave < 5; wave += 1) await Promise.all(Array.from({ length: 50 }, (_, index) => reserve(shop, index % 2 ? [a, b] : [b, a])));
    expect(await pilesOf(shop, a)).to.deep.equal([50n, 250n, 0n]);
    await shop.due();
    // A batch that another instance holds is skipped, so one round may leave some to the next.
    await until('all have expired', async () => {
      shop.wake();
      await shop.asleep();
      return (await statesOf(shop))['EXPIRED'] === 250;
    });
    for (const productId of [a, b]) expect(await pilesOf(shop, productId)).to.deep.equal([300n, 0n, 0n]);
  });

  it('does so only when its time has come', async () => {
    const shop = await start({ instances: 1, ttlMs: LONG_MS });
    const productId = await shop.newProduct(1n);
    const orderId = await reserve(shop, [productId]);
    shop.wake();
    await shop.asleep();
    const { reservation } = await shop.client.reserve({ orderId, lines: [{ productId, quantity: 1 }] });
    expect(reservation?.state).to.equal(ReservationState.RESERVED);
    expect((reservation?.expireTime?.seconds ?? 0n) - (reservation?.createTime?.seconds ?? 0n)).to.equal(BigInt(LONG_MS / 1_000));
    await shop.client.commit({ orderId });
    expect(await pilesOf(shop, productId)).to.deep.equal([0n, 0n, 1n]);
  });

  it('is expired when an instance holds it before its Commit comes', async () => {
    const shop = await start({ instances: 1, ttlMs: SHORT_MS });
    const productId = await shop.newProduct(1n);
    const orderId = await reserve(shop, [productId]);
    await shop.due();
    const letGo = await lockStock(shop.database, productId);
    shop.wake();
    await waiting(shop.database, 1);
    const commit = expectRefusal('RESERVATION_EXPIRED', shop.client.commit({ orderId }));
    await waiting(shop.database, 2);
    await letGo();
    await commit;
    await expectRefusal('RESERVATION_EXPIRED', shop.client.commit({ orderId }));
    expect(await pilesOf(shop, productId)).to.deep.equal([1n, 0n, 0n]);
  });

  it('is sold when its Commit holds it before an instance comes, and the instance does not wait', async () => {
    const shop = await start({ instances: 1, ttlMs: SHORT_MS });
    const [contended, free] = [await shop.newProduct(1n), await shop.newProduct(1n)];
    const orderId = await reserve(shop, [contended]);
    await reserve(shop, [free]);
    await shop.due();
    const letGo = await lockStock(shop.database, contended);
    const commit = shop.client.commit({ orderId });
    await waiting(shop.database, 1);
    shop.wake();
    await shop.asleep();
    expect(await statesOf(shop)).to.deep.equal({ RESERVED: 1, EXPIRED: 1 });
    await letGo();
    for (const { reservation } of [await commit, await shop.client.commit({ orderId })]) expect(reservation?.state).to.equal(ReservationState.COMMITTED);
    expect(await pilesOf(shop, contended)).to.deep.equal([0n, 0n, 1n]);
    expect(await pilesOf(shop, free)).to.deep.equal([1n, 0n, 0n]);
  });

  it('is sold or expired and never both, whoever is faster', async () => {
    const shop = await start({ instances: 3, ttlMs: 1 });
    const productId = await shop.newProduct(100n);
    let sold = 0;
    for (let round = 0; round < 10; round += 1) {
      const orders = await Promise.all(Array.from({ length: 10 }, () => reserve(shop, [productId])));
      await shop.due();
      const commitAll = () => Promise.allSettled(orders.map((orderId) => shop.client.commit({ orderId })));
      const committing = commitAll();
      // A little later each time, by a query that has nothing to do with it.
      for (let later = 0; later < round; later += 1) await statesOf(shop);
      shop.wake();
      const first = (await committing).map(({ status }) => status);
      await shop.asleep();
      expect((await commitAll()).map(({ status }) => status), 'a resend has the same answer').to.deep.equal(first);
      sold += first.filter((status) => status === 'fulfilled').length;
    }
    const { COMMITTED = 0, EXPIRED = 0 } = await statesOf(shop);
    expect([COMMITTED, EXPIRED]).to.deep.equal([sold, 100 - sold]);
    expect(await pilesOf(shop, productId)).to.deep.equal([100n - BigInt(sold), 0n, BigInt(sold)]);
  });

  it('waits for a database that is away, which is said once', async () => {
    const { log, lines } = captureLog('warn');
    let isAway = true;
    const away = refusal('DATABASE_UNAVAILABLE', 'the database is away');
    const shop = await start({
      instances: 1,
      ttlMs: SHORT_MS,
      log,
      wrap: (database) => ({ ...database, query: (statement, values) => (isAway && statement.name === 'inventory.expire' ? Promise.reject(away) : database.query(statement, values)) }),
    });
    const productId = await shop.newProduct(1n);
    await reserve(shop, [productId]);
    await shop.due();
    for (const stillAway of [true, true, false]) {
      isAway = stillAway;
      shop.wake();
      await shop.asleep();
    }
    expect(lines.map(({ msg }) => msg)).to.deep.equal(['cannot look for expired reservations; goes on when it can']);
    expect(await pilesOf(shop, productId)).to.deep.equal([1n, 0n, 0n]);
  });

  it('cannot do so in no time at all: such a setting is refused', async () => {
    const error = await expectRefusal('INVALID_SETTING', startInventory({ instances: 1, ttlMs: 0 }));
    expect(error.message).to.contain('MESH_RESERVATION_TTL');
  });
});
