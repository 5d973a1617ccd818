import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import { MeshError } from '#kit';
import { type Reservation, ReservationState } from '#proto/shop/inventory/v1/inventory_pb.js';

import { newProduct, refusalOf, stockOf, until } from '../orders.ts';
import type { Shop } from '../shop-fixture.ts';

const ANSWER_WITHIN_MS = 30_000;

/** What the inventory service promises. */
export function describeInventory(shopOf: () => Shop): void {
  const lines = (productId: string, quantity: number) => [{ productId, quantity }];

  /** The order that has reserved this many pieces. */
  async function reserved(productId: string, quantity: number): Promise<string> {
    const orderId = randomUUID();
    await shopOf().inventory.reserve({ orderId, lines: lines(productId, quantity) });
    return orderId;
  }

  describe('stock', () => {
    it('that was never set is refused, and named', async () => {
      const { inventory } = shopOf();
      const productId = `unknown-${randomUUID()}`;
      const calls = [inventory.getStock({ productId }), inventory.reserve({ orderId: randomUUID(), lines: lines(productId, 1) })];
      for (const error of await Promise.all(calls.map(refusalOf))) {
        expect(error).to.deep.include({ code: 'NOT_FOUND', reason: 'STOCK_NOT_SET', metadata: { product_id: productId } });
      }
    });

    it('is always what was received: available, reserved and sold together', async () => {
      const shop = shopOf();
      const { inventory } = shop;
      const productId = await newProduct(shop, 10n);
      const set = (available: bigint) => inventory.setStock({ productId, available });
      const [bought, released, open] = [await reserved(productId, 3), await reserved(productId, 2), await reserved(productId, 1)];
      const history: [() => Promise<unknown>, received: bigint, piles: [bigint, bigint, bigint]][] = [
        [() => set(4n), 10n, [4n, 6n, 0n]],
        [() => inventory.commit({ orderId: bought }), 10n, [4n, 3n, 3n]],
        [() => set(20n), 26n, [20n, 3n, 3n]],
        [() => inventory.release({ orderId: released }), 26n, [22n, 1n, 3n]],
        [() => set(0n), 4n, [0n, 1n, 3n]],
        [() => inventory.restock({ orderId: bought }), 4n, [3n, 1n, 0n]],
        [() => inventory.commit({ orderId: open }), 4n, [3n, 0n, 1n]],
      ];
      for (const [change, received, piles] of history) {
        // Each is sent twice and counts once.
        for (let twice = 0; twice < 2; twice += 1) await change();
        expect((await inventory.getStock({ productId })).stock?.received).to.equal(received);
        expect(await stockOf(shop, productId)).to.deep.equal(piles);
      }
    });
  });

  describe('a reservation', () => {
    it('is made once for an order, and refused for other lines', async () => {
      const shop = shopOf();
      const [orderId, productId] = [randomUUID(), await newProduct(shop, 10n)];
      const first = await shop.inventory.reserve({ orderId, lines: lines(productId, 3) });
      expect(await shop.inventory.reserve({ orderId, lines: lines(productId, 3) })).to.deep.equal(first);
      expect(await stockOf(shop, productId)).to.deep.equal([7n, 3n, 0n]);
      const error = await refusalOf(shop.inventory.reserve({ orderId, lines: lines(productId, 4) }));
      expect(error.reason).to.equal('IDEMPOTENCY_KEY_REUSED');
    });

    it('given back before it was made refuses to be made late', async () => {
      const shop = shopOf();
      const [orderId, productId] = [randomUUID(), await newProduct(shop, 10n)];
      await shop.inventory.release({ orderId });
      expect((await refusalOf(shop.inventory.reserve({ orderId, lines: lines(productId, 1) }))).reason).to.equal('RESERVATION_RELEASED');
      expect(await stockOf(shop, productId)).to.deep.equal([10n, 0n, 0n]);
    });

    it('is sold or given back, once, and not both', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const [sold, released] = [await reserved(productId, 2), await reserved(productId, 2)];
      for (let twice = 0; twice < 2; twice += 1) {
        await shop.inventory.commit({ orderId: sold });
        await shop.inventory.release({ orderId: released });
      }
      expect(await stockOf(shop, productId)).to.deep.equal([8n, 0n, 2n]);
      expect((await refusalOf(shop.inventory.release({ orderId: sold }))).reason).to.equal('RESERVATION_COMMITTED');
      expect((await refusalOf(shop.inventory.commit({ orderId: released }))).reason).to.equal('RESERVATION_RELEASED');
    });

    it('that nobody made is refused to be sold or taken back', async () => {
      const { inventory } = shopOf();
      const orderId = randomUUID();
      const calls = [inventory.commit({ orderId }), inventory.restock({ orderId })];
      for (const error of await Promise.all(calls.map(refusalOf))) {
        expect(error).to.deep.include({ reason: 'RESERVATION_NOT_FOUND', metadata: { order_id: orderId } });
      }
    });
  });

  describe('a sale', () => {
    it('is taken back once, and is not sold or reserved again', async () => {
      const shop = shopOf();
      const [a, b] = [await newProduct(shop, 10n), await newProduct(shop, 10n)];
      const orderId = randomUUID();
      const both = [...lines(b, 3), ...lines(a, 2)];
      await shop.inventory.reserve({ orderId, lines: both });
      await shop.inventory.commit({ orderId });
      const answers = await Promise.all(Array.from({ length: 5 }, () => shop.inventory.restock({ orderId })));
      for (const { reservation } of answers) expect(reservation?.state).to.equal(ReservationState.RESTOCKED);
      const release = await shop.inventory.release({ orderId });
      expect(release.reservation?.state).to.equal(ReservationState.RESTOCKED);
      const calls = [shop.inventory.commit({ orderId }), shop.inventory.reserve({ orderId, lines: both })];
      for (const error of await Promise.all(calls.map(refusalOf))) {
        expect(error.reason).to.equal('RESERVATION_RELEASED');
      }
      for (const productId of [a, b]) expect(await stockOf(shop, productId)).to.deep.equal([10n, 0n, 0n]);
    });

    it('is taken back only when there was one', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const [open, released] = [await reserved(productId, 2), await reserved(productId, 2)];
      await shop.inventory.release({ orderId: released });
      for (const orderId of [open, released]) {
        expect(await refusalOf(shop.inventory.restock({ orderId }))).to.deep.include({ code: 'FAILED_PRECONDITION', reason: 'RESERVATION_NOT_COMMITTED' });
      }
      expect(await stockOf(shop, productId)).to.deep.equal([8n, 2n, 0n]);
    });
  });

  describe('a reservation nobody commits in time', () => {
    /** The order whose reservation of two pieces ran out, once its goods are back. */
    async function expired(productId: string): Promise<string> {
      const shop = shopOf();
      const orderId = await reserved(productId, 2);
      const runOut = { name: 'test.run_out', text: 'UPDATE reservation SET expire_time = now() WHERE order_id = $1' };
      await shop.database('inventory').query(runOut, [orderId]);
      await until('the goods are back', ANSWER_WITHIN_MS, async () => ((await stockOf(shop, productId))[1] === 0n ? true : undefined));
      return orderId;
    }

    it('gives its goods back, and is neither sold nor made again', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const orderId = await expired(productId);
      for (let twice = 0; twice < 2; twice += 1) {
        const calls = [shop.inventory.commit({ orderId }), shop.inventory.reserve({ orderId, lines: lines(productId, 2) })];
        for (const error of await Promise.all(calls.map(refusalOf))) {
          expect(error).to.deep.include({ code: 'FAILED_PRECONDITION', reason: 'RESERVATION_EXPIRED' });
        }
        const { reservation } = await shop.inventory.release({ orderId });
        expect(reservation?.state).to.equal(ReservationState.EXPIRED);
      }
      expect((await refusalOf(shop.inventory.restock({ orderId }))).reason).to.equal('RESERVATION_NOT_COMMITTED');
      expect(await stockOf(shop, productId)).to.deep.equal([10n, 0n, 0n]);
    });

    it('says beforehand until when it holds', async () => {
      const shop = shopOf();
      const { reservation } = await shop.inventory.reserve({ orderId: randomUUID(), lines: lines(await newProduct(shop, 1n), 1) });
      const timeOf = (field: 'createTime' | 'expireTime', from: Reservation | undefined): number => Number(from?.[field]?.seconds ?? 0n);
      expect(timeOf('expireTime', reservation)).to.be.above(timeOf('createTime', reservation));
    });
  });

  describe('two hundred buyers at once for the last ten pieces', () => {
    /** Whether a buyer got one piece of each; one without an answer asks again under the same order. */
    function buy(productIds: readonly string[]): Promise<boolean> {
      const request = { orderId: randomUUID(), lines: productIds.flatMap((productId) => lines(productId, 1)) };
      return until('the buyer has an answer', ANSWER_WITHIN_MS, async () => {
        try {
          await shopOf().inventory.reserve(request);
          return true;
        } catch (thrown) {
          if (MeshError.from(thrown).reason === 'OUT_OF_STOCK') return false;
          throw thrown;
        }
      });
    }

    async function buyAll(choose: (index: number) => readonly string[]): Promise<number> {
      const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => buy(choose(index))));
      return answers.filter((gotOne) => gotOne).length;
    }

    it('are ten who get one', async () => {
      const productId = await newProduct(shopOf(), 10n);
      expect(await buyAll(() => [productId])).to.equal(10);
      expect(await stockOf(shopOf(), productId)).to.deep.equal([0n, 10n, 0n]);
    });

    it('are ten who get one of each of two products, named in both orders', async () => {
      const [a, b] = [await newProduct(shopOf(), 10n), await newProduct(shopOf(), 10n)];
      // A deadlock, were rows locked as they are named.
      expect(await buyAll((index) => (index % 2 ? [a, b] : [b, a]))).to.equal(10);
      for (const productId of [a, b]) expect(await stockOf(shopOf(), productId)).to.deep.equal([0n, 10n, 0n]);
    });
  });
}
