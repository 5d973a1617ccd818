import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';

import { MeshError } from '#kit';
import { OrderState } from '#proto/shop/order/v1/order_pb.js';

import { expectBooksAgree } from './books-agree.ts';
import { newProduct, newUser, place, requestFor, stockOf, until } from './orders.ts';
import type { Shop } from './shop-fixture.ts';

/** Kills the shop's Postgres, which its supervisor starts again. */
export function describeOutage(shopOf: () => Shop): void {
  describe('a shop whose Postgres is killed with kill -9', function () {
    this.timeout(90_000);
    let shop: Shop;
    before(() => {
      shop = shopOf();
    });

    function postgresPid(): number {
      const pidFile = join(shop.environment['MESH_DATA_DIR'] ?? '', 'postgres', 'cluster', 'postmaster.pid');
      return Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
    }

    it('says that it cannot work for the moment, and works again with every order it had', async () => {
      const [userId, productId] = [await newUser(shop), await newProduct(shop, 10n)];
      const before = await place(shop, requestFor(userId, productId));
      const killed = postgresPid();
      process.kill(killed, 'SIGKILL');
      const reasons = new Set<string>();
      await until('another Postgres runs, and the order can be read', 30_000, async () => {
        const answer = await shop.orders.getOrder({ orderId: before.orderId }).catch((thrown: unknown) => void reasons.add(MeshError.from(thrown).reason));
        return postgresPid() !== killed && answer?.order?.state === OrderState.CONFIRMED ? true : undefined;
      });
      // Once each call has failed for a while, they are not even sent.
      expect([...reasons].filter((reason) => !['DATABASE_UNAVAILABLE', 'CIRCUIT_OPEN'].includes(reason)), 'other reasons than the database').to.deep.equal([]);
      const later = await until('an order can be placed', 30_000, () => place(shop, requestFor(userId, productId)));
      expect(later.state).to.equal(OrderState.CONFIRMED);
      expect((await stockOf(shop, productId))[1], 'nothing stays reserved').to.equal(0n);
    });

    it('brings orders to an end that were on their way', async () => {
      const [userId, productId] = [await newUser(shop), await newProduct(shop, 100n)];
      const requests = Array.from({ length: 10 }, () => requestFor(userId, productId));
      const placing = requests.map((request) => place(shop, request).catch(() => undefined));
      await Promise.race(placing);
      process.kill(postgresPid(), 'SIGKILL');
      await Promise.all(placing);
      for (const request of requests) {
        const order = await until('the same request finds its order in its final state', 45_000, async () => {
          const found = await place(shop, request);
          return found.state === OrderState.PENDING ? undefined : found;
        });
        expect(order.state).to.equal(OrderState.CONFIRMED);
      }
      expect(await stockOf(shop, productId)).to.deep.equal([80n, 0n, 20n]);
    });

    it('ends with books that agree', () => expectBooksAgree(shop));
  });
}
