import { expect } from 'chai';

import type { Guard } from '../shop/faults/guards.ts';
import { seedOfRun } from '../shop/faults/sample.ts';
import { seedNumber } from './mesh/proofs.ts';
import { type MatrixOptions, type MatrixResult, runMatrix } from './orders/matrix.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const QUICK = process.env['CHAOS_QUICK'] === 'true';
const seed = seedNumber(seedOfRun());
/** Longer than any of them. */
const LONGEST_MS = 3_600_000;

/** Every way in which the card company may answer, at once; https://docs.stripe.com/error-low-level. */
const MISBEHAVING = JSON.stringify({ loseAnswer: 5, late: { percent: 5, ms: 1_500 }, twice: 20, outOfOrder: 20, down: { percent: 1, ms: 500 }, seed });

async function run(options: Omit<MatrixOptions, 'seed' | 'say'>): Promise<MatrixResult> {
  const result = await runMatrix({ ...options, seed, say });
  const { kills, points, orders, wrong, missed, finalAfterMs } = result;
  say(`      ${kills} kills at ${points} points, ${orders} orders, final at most ${(finalAfterMs / 1_000).toFixed(1)} s after recovery, ${wrong.length} findings, ${missed.length} points not met`);
  for (const line of [...missed.map((what) => `not met: ${what}`), ...wrong]) say(`        ${line}`);
  return result;
}

describe('orders under kill -9', function () {
  this.timeout(LONGEST_MS);

  it('are whole, each paid for once and told of once, wherever a process dies', async () => {
    const { kills, wrong } = await run({ kills: QUICK ? 150 : 800 });
    expect(wrong).to.deep.equal([]);
    expect(kills).to.be.at.least(QUICK ? 120 : 640);
  });

  it('are whole also while the card company loses answers, answers late, twice, out of order or not at all', async () => {
    const { wrong } = await run({ kills: QUICK ? 50 : 200, simulatorFaults: MISBEHAVING });
    expect(wrong).to.deep.equal([]);
  });

  const guards: readonly [Guard, MatrixOptions['only']][] = [
    ['inbox', ({ point }) => point.startsWith('after effect') || point.startsWith('after publish')],
    ['key claim', ({ point }) => point === 'answer PlaceOrder' || point === 'after commit order.place'],
  ];
  for (const [guard, only] of guards) {
    it(`are not whole without the ${guard}`, async () => {
      const { wrong } = await run({ kills: 60, guardsOff: [guard], firstOnly: true, ...(only && { only }) });
      expect(wrong, 'it shows nothing, and so proves nothing').not.to.deep.equal([]);
    });
  }
});
