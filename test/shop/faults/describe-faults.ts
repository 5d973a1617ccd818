import { expect } from 'chai';

import { OrderState } from '#proto/shop/order/v1/order_pb.js';

import { expectBooksAgree } from '../books-agree.ts';
import { finalOrder, moneyOf, newProduct, newUser, requestFor, stockOf, until } from '../orders.ts';
import { type FailureCase, isKill, nameOf } from './cases.ts';
import type { FaultyShop } from './faulty-shop.ts';
import { runCase } from './run-case.ts';

/** Lease (1 s), restart and start of the process, each with room to spare on a busy machine. */
const FINAL_WITHIN_MS = 45_000;

/** Takes an order through each of these failures. Those that kill nobody all at once: every order meets its own. */
export function describeFailures(shopOf: () => FaultyShop, cases: readonly FailureCase[], killPoints: readonly { process: string; point: string }[]): void {
  describe('an order that meets trouble', function () {
    this.timeout(120_000);
    let shop: FaultyShop;
    const results = new Map<FailureCase, Promise<void>>();
    before(async () => {
      shop = shopOf();
      for (const failing of cases.filter((entry) => !isKill(entry))) {
        const result = runCase(shop, failing);
        // Awaited by its own test.
        result.catch(() => undefined);
        results.set(failing, result);
      }
      await Promise.allSettled(results.values());
    });

    for (const failing of cases) {
      it(`ends ${failing.ending} (${nameOf(failing)})`, () => results.get(failing) ?? runCase(shop, failing));
    }

    for (const { process, point } of killPoints) {
      it(`is confirmed with one capture when ${process} dies at "${point}"`, async () => {
        const productId = await newProduct(shop, 10n);
        const request = requestFor(await newUser(shop), productId);
        const armed = shop.arm({ point, action: { kind: 'kill' } });
        const placed = await until('the order is placed', FINAL_WITHIN_MS, async () => (await shop.orders.placeOrder(request)).order);
        expect(armed.isArmed(), `a process died at "${point}"`).to.equal(false);
        const order = await finalOrder(shop, placed.orderId, FINAL_WITHIN_MS);
        expect(order.state).to.equal(OrderState.CONFIRMED);
        expect(await moneyOf(shop, order.orderId)).to.deep.equal({ captures: 1, net: 2500n });
        expect(await stockOf(shop, productId)).to.deep.equal([8n, 0n, 2n]);
        expect((await shop.orders.listOrders({ userId: order.userId })).orders).to.have.length(1);
      });
    }

    it('ends with books that agree', () => expectBooksAgree(shop));
  });
}
