import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';

import { describeHistories } from './describe-histories.ts';
import { describeOutage } from './describe-outage.ts';
import { CASES, isKill, nameOf } from './faults/cases.ts';
import { describeFailures } from './faults/describe-faults.ts';
import { type FaultyShop, startFaultyShop } from './faults/faulty-shop.ts';
import { ALL_KILL_POINTS } from './faults/kill-points.ts';
import { sample, seedOfRun } from './faults/sample.ts';
import { withTable } from './faults/table.ts';

const seed = seedOfRun();
const kills = sample(CASES.filter(isKill), 3, seed, nameOf);

describe('a shop in trouble (a process for each service)', function () {
  this.timeout(90_000);
  let shop: FaultyShop;
  before(async () => {
    shop = await startFaultyShop('micro');
  });
  after(() => shop?.stop());

  // Every failure that kills nobody, and some that do; `npm run chaos -- failures` runs them all, in both topologies.
  describeFailures(() => shop, [...CASES.filter((entry) => !isKill(entry)), ...kills], sample(ALL_KILL_POINTS, 2, seed, ({ point }) => point));
  describeOutage(() => shop);
  // Last: it starts further instances.
  describeHistories(() => shop);
});

describe('the table of failures in docs/orders.md', () => {
  it('is the one that `npm run chaos -- failures --write` writes', () => {
    const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'orders.md'), 'utf8');
    expect(text).to.equal(withTable(text));
  });
});
