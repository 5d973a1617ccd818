import { describeShop } from './behaviour/index.ts';
import { expectBooksAgree } from './books-agree.ts';
import { describeTwoInstances } from './describe-two-instances.ts';
import { type Shop, startShop } from './shop-fixture.ts';

describe('the shop (a process for each service)', function () {
  this.timeout(60_000);
  let shop: Shop;
  before(async () => {
    shop = await startShop({ topology: 'micro' });
  });
  after(() => shop?.stop());

  // First: its books have to agree without exceptions.
  describeTwoInstances(() => shop);
  describeShop(() => shop);

  describe('in the end', () => {
    it('has books that agree', () => expectBooksAgree(shop, { directCalls: true }));
  });
});
