import { type Shop, startShop } from '../shop/shop-fixture.ts';
import { describeFault } from './support/describe-fault.ts';
import { describeSaga } from './support/describe-saga.ts';

describe('beside a shop that runs in one process', function () {
  this.timeout(60_000);
  let shop: Shop;
  before(async () => {
    shop = await startShop({ topology: 'monolith', settings: { MESH_FAULTS: 'true' } });
  });
  after(() => shop?.stop());

  // First: it counts the sagas.
  describeSaga(() => shop);
  describeFault(() => shop);
});
