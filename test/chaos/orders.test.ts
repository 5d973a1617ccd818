import { expect } from 'chai';

import { seedOfRun } from '../shop/faults/sample.ts';
import { seedNumber } from './mesh/proofs.ts';
import { happeningsOf } from './orders/happenings.ts';
import { runMatrix, SMALL_FLEET } from './orders/matrix.ts';

const seed = seedNumber(seedOfRun());
const KILLS = 6;

// A few of the points, others with another seed. All of them: npm run chaos -- orders.
describe(`orders under kill -9 (CHAOS_SEED=${seedOfRun()})`, function () {
  this.timeout(180_000);

  it('are whole, each paid for once and told of once', async () => {
    const { wrong, kills } = await runMatrix({ plan: (points) => happeningsOf({ seed, points, from: 0, kills: KILLS }), fleet: SMALL_FLEET, say: () => {} });
    expect(wrong).to.deep.equal([]);
    expect(kills).to.be.at.least(KILLS / 2);
  });
});
