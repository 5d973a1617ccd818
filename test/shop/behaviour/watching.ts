import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import { OrderState } from '#proto/shop/order/v1/order_pb.js';

import { newProduct, newUser, place, refusalOf, requestFor } from '../orders.ts';
import type { Shop } from '../shop-fixture.ts';

/** What WatchOrder promises. */
export function describeWatching(shopOf: () => Shop): void {
  describe('watching an order', () => {
    it('streams the numbered changes and ends at the final one', async () => {
      const shop = shopOf();
      const { orderId } = await place(shop, requestFor(await newUser(shop), await newProduct(shop, 10n)));
      const changes = [];
      for await (const { sequence, state } of shop.orders.watchOrder({ orderId })) changes.push([sequence, state]);
      expect(changes).to.deep.equal([
        [1n, OrderState.PENDING],
        [2n, OrderState.CONFIRMED],
      ]);
    });

    it('goes on after a number, and is empty after the last', async () => {
      const shop = shopOf();
      const { orderId } = await place(shop, requestFor(await newUser(shop), await newProduct(shop, 10n)));
      const after = async (afterSequence: bigint): Promise<bigint[]> => {
        const seen = [];
        for await (const { sequence } of shop.orders.watchOrder({ orderId, afterSequence })) seen.push(sequence);
        return seen;
      };
      expect(await after(1n)).to.deep.equal([2n]);
      expect(await after(2n)).to.deep.equal([]);
    });

    it('of an unknown order is refused', async () => {
      const watching = shopOf().orders.watchOrder({ orderId: `no-${randomUUID()}` })[Symbol.asyncIterator]();
      expect((await refusalOf(watching.next())).reason).to.equal('ORDER_NOT_FOUND');
    });
  });
}
