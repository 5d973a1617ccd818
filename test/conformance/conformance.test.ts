import { expect } from 'chai';

import { locateBackend, requireBackend } from '../backends/locate.ts';
import { runSuite } from './run-suite.ts';

describe('the conformance suite of connectrpc', function () {
  this.timeout(60_000);
  let command: string;

  before(async function () {
    const found = process.env['CI'] === 'true' ? await requireBackend('connectconformance') : await locateBackend('connectconformance');
    if (found === undefined) return this.skip();
    command = found;
  });

  for (const [side, cases] of [['server', 570], ['client', 646]] as const) {
    it(`finds nothing in our ${side} that is not known`, async () => {
      const result = await runSuite(side, { command, signal: AbortSignal.timeout(55_000) });
      expect(result.ok, result.output).to.equal(true);
      expect(result.cases).to.equal(cases);
    });
  }
});
