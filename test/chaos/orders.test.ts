import { expect } from 'chai';

import { seedOfRun } from '../shop/faults/sample.ts';
import { seedNumber } from './mesh/proofs.ts';
import { runMatrix } from './orders/matrix.ts';

/** As few as can show a take-over: it shares its machine with other tests. */
const FLEET = { user: 1, product: 1, inventory: 1, payment: 1, shipping: 1, order: 2, notification: 1 };

// A few of the points, in another order with another seed. All of them: npm run chaos -- orders.
describe(`orders under kill -9 (CHAOS_SEED=${seedOfRun()})`, function () {
  this.timeout(180_000);

  it('are whole, each paid for once and told of once', async () => {
    const { wrong, kills } = await runMatrix({ seed: seedNumber(seedOfRun()), kills: 6, fleet: FLEET, say: () => {} });
    expect(wrong).to.deep.equal([]);
    expect(kills).to.be.at.least(3);
  });
});
