import { describeShop } from './behaviour/index.ts';
import { expectBooksAgree } from './books-agree.ts';
import { describeSecondInstances } from './describe-second-instances.ts';
import { type Shop, startShop } from './shop-fixture.ts';

describe('the shop (all services in one process)', function () {
  this.timeout(60_000);
  let shop: Shop;
  before(async () => {
    shop = await startShop({ topology: 'monolith' });
  });
  after(() => shop?.stop());

  describeShop(() => shop);
  describeSecondInstances(() => shop);

  describe('in the end', () => {
    it('has books that agree', () => expectBooksAgree(shop, { directCalls: true }));
  });
});
