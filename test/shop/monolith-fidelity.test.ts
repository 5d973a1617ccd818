import { describeShop } from './behaviour/index.ts';
import { expectBooksAgree } from './books-agree.ts';
import { type Shop, startShop } from './shop-fixture.ts';

// Messages are encoded and decoded at local borders, too: a service that keeps or changes what it was handed is found out.
describe('the shop (all services in one process, calls among them as on the wire)', function () {
  this.timeout(60_000);
  let shop: Shop;
  before(async () => {
    shop = await startShop({ topology: 'monolith', settings: { MESH_LOCAL_CALLS: 'fidelity' } });
  });
  after(() => shop?.stop());

  describeShop(() => shop);

  describe('in the end', () => {
    it('has books that agree', () => expectBooksAgree(shop, { directCalls: true }));
  });
});
