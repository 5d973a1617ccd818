import { expect } from 'chai';

import { expectBooksAgree } from './books-agree.ts';
import type { FaultyShop } from './faults/faulty-shop.ts';
import { seedOfRun } from './faults/sample.ts';
import { CROWDS, MISHAPS, TRADE } from './model/arbitraries.ts';
import { startFleet } from './model/commands/processes.ts';
import { expectHistories, HistoryError } from './model/histories.ts';
import { ShopModel } from './model/shop-model.ts';

/** Two of those that keep what an order does. */
const FLEET = { user: 1, product: 1, inventory: 2, payment: 1, shipping: 1, order: 2 };

/** Thinks that whoever cancels an order gets no money back. */
class ForgetfulModel extends ShopModel {
  override cancel(number: number): ReturnType<ShopModel['cancel']> {
    const refusal = super.cancel(number);
    if (refusal === '') this.rewrite(number, { refunds: [] });
    return refusal;
  }
}

/** Lets random things happen to the shop, of which it starts further instances. */
export function describeHistories(shopOf: () => FaultyShop): void {
  describe('random histories of a shop with several instances', function () {
    this.timeout(180_000);
    let shop: FaultyShop;
    before(async () => {
      shop = shopOf();
      await startFleet(shop, FLEET);
    });

    const seed = seedOfRun();
    // More of them, in which more breaks: npm run chaos -- shop.
    it(`are as the model says (CHAOS_SEED=${seed})`, () => expectHistories(shop, { seed, count: 2, happenings: [...TRADE, ...CROWDS, ...MISHAPS], fleet: FLEET }));

    it('find out a model that forgets refunds, by no more than an order and its cancellation', async () => {
      // A seed by which that is found soon.
      const differing = expectHistories(shop, { seed: 'c', count: 3, happenings: TRADE, fleet: FLEET, Model: ForgetfulModel });
      const error = await differing.then(
        () => expect.fail('nobody has noticed'),
        (thrown: unknown) => thrown,
      );
      expect(error).to.be.instanceOf(HistoryError);
      expect(String(error)).to.match(/a history of seed c .*\n( {2}set the stock .*\n)*  request 0: .*\n  cancel order 0\nrefunds of order 0: \[\d+\] in the shop, \[\] in the model$/);
    });

    it('leave books that agree', () => expectBooksAgree(shop));
  });
}
