import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CASES } from '../shop/faults/cases.ts';
import { describeFailures } from '../shop/faults/describe-faults.ts';
import { type FaultyShop, startFaultyShop } from '../shop/faults/faulty-shop.ts';
import { ALL_KILL_POINTS } from '../shop/faults/kill-points.ts';
import { withTable } from '../shop/faults/table.ts';

const DOCUMENT = join(import.meta.dirname, '..', '..', 'docs', 'orders.md');

describe('every failure of an order', () => {
  let passed = 0;
  afterEach(function () {
    if (this.currentTest?.state === 'passed') passed += 1;
  });

  const topologies = ['micro', 'monolith'] as const;
  for (const topology of topologies) {
    describe(topology, function () {
      this.timeout(90_000);
      let shop: FaultyShop;
      before(async () => {
        shop = await startFaultyShop(topology);
      });
      after(() => shop?.stop());

      describeFailures(() => shop, CASES, ALL_KILL_POINTS);
    });
  }

  after(() => {
    const all = topologies.length * (CASES.length + ALL_KILL_POINTS.length);
    // Only what was seen is written down.
    if (process.env['CHAOS_WRITE'] === 'true' && passed === all) writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, 'utf8')));
  });
});
