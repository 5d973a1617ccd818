import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import type { Database } from '#database';

import { expectRefusal } from '../database/expect-refusal.ts';
import { type Inventory, type InventoryOptions, startInventory } from './inventory-fixture.ts';
import { lockStock, waiting } from './stock-lock.ts';

describe('two instances that want the same goods', function () {
  this.timeout(30_000);
  let inventory: Inventory | undefined;
  afterEach(async () => {
    await inventory?.stop();
    inventory = undefined;
  });

  async function start(options: Partial<InventoryOptions> = {}): Promise<Inventory> {
    inventory = await startInventory({ instances: 2, ttlMs: 60_000, ...options });
    return inventory;
  }

  const ddl = (database: Database, text: string) => database.query({ name: 'test.ddl', text }, []);

  /** One order of each instance, both under way when they have seen the stock and none may take it yet. */
  async function reserveAtOnce({ clients, database }: Inventory, lockedId: string, productIds: readonly string[]): Promise<PromiseSettledResult<unknown>[]> {
    const letGo = await lockStock(database, lockedId);
    const lines = productIds.map((productId) => ({ productId, quantity: 1 }));
    const calls = Promise.allSettled(clients.map((client) => client.reserve({ orderId: randomUUID(), lines })));
    await waiting(database, clients.length);
    await letGo();
    return calls;
  }

  it('do not both get the last piece that both have seen', async () => {
    const shop = await start();
    const productId = await shop.newProduct(1n);
    const [refused, ...others] = (await reserveAtOnce(shop, productId, [productId])).filter(({ status }) => status === 'rejected');
    expect(others).to.be.empty;
    await expectRefusal('OUT_OF_STOCK', Promise.reject(refused?.status === 'rejected' ? refused.reason : undefined));
    expect((await shop.client.getStock({ productId })).stock).to.deep.include({ available: 0n, reserved: 1n });
  });

  it('would both get it, were it not for the check of the table', async () => {
    const shop = await start();
    const productId = await shop.newProduct(1n);
    await ddl(shop.database, 'ALTER TABLE stock DROP CONSTRAINT stock_available_check');
    await reserveAtOnce(shop, productId, [productId]);
    expect((await shop.client.getStock({ productId })).stock).to.deep.include({ available: -1n, reserved: 2n });
  });

  /** How often the two orders were tried when the second instance locks stock in this direction. */
  async function attempts(direction: 'ASC' | 'DESC'): Promise<number> {
    let [tried, instances] = [0, 0];
    const otherWay = ({ query, ...database }: Database): Database => ({
      ...database,
      query: ({ name, text }, values) => query({ name, text: text.replace('ORDER BY s.product_id', `ORDER BY s.product_id ${direction}`) }, values),
    });
    const shop = await start({
      deadlockTimeoutMs: 50,
      wrap: (database) => ((instances += 1) === 2 ? otherWay(database) : database),
      hooks: { beforeCommit: async (name) => void (tried += name === 'inventory.reserve' ? 1 : 0) },
    });
    const productIds = [await shop.newProduct(9n), await shop.newProduct(9n), await shop.newProduct(9n)].toSorted();
    // Each has passed one of the others when it waits for the one in the middle.
    const results = await reserveAtOnce(shop, productIds[1] ?? '', productIds);
    expect(results.map(({ status }) => status)).to.deep.equal(['fulfilled', 'fulfilled']);
    return tried;
  }

  it('never wait for each other in a circle', async () => {
    expect(await attempts('ASC')).to.equal(2);
  });

  it('would do so, did they not lock stock in the same order', async () => {
    expect(await attempts('DESC')).to.be.above(2);
  });
});
