import { expect } from 'chai';
import fc from 'fast-check';

import { Allowance } from '../../../mesh/server/door/allowance.ts';
import { createRuledClock } from '../support/ruled-clock.ts';

describe('an allowance', () => {
  const takeAll = (allowance: Allowance): number => {
    let taken = 0;
    while (allowance.take()) taken += 1;
    return taken;
  };

  it('gives its burst at once, then as much as comes back', () => {
    const clock = createRuledClock();
    const allowance = new Allowance({ burst: 100, perSecond: 10 }, clock);
    expect(takeAll(allowance)).to.equal(100);
    clock.advance(99);
    expect(allowance.take()).to.equal(false);
    clock.advance(1_901);
    expect(takeAll(allowance)).to.equal(20);
  });

  it('never holds more than its burst', () => {
    const clock = createRuledClock();
    const allowance = new Allowance({ burst: 5, perSecond: 10 }, clock);
    clock.advance(60_000);
    expect(takeAll(allowance)).to.equal(5);
    allowance.refill();
    expect(takeAll(allowance)).to.equal(5);
  });

  it('without an end gives without an end', () => {
    const allowance = new Allowance({ burst: Infinity, perSecond: 0 }, createRuledClock());
    for (let time = 0; time < 1_000; time += 1) expect(allowance.take()).to.equal(true);
  });

  it('gives no more than burst and rate together, whatever the clock does', () => {
    const steps = fc.array(fc.integer({ min: -2_000, max: 5_000 }), { maxLength: 50 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 20 }), (advances, burst, perSecond) => {
        const clock = createRuledClock();
        const allowance = new Allowance({ burst, perSecond }, clock);
        let taken = takeAll(allowance);
        let forwardMs = 0;
        for (const ms of advances) {
          clock.advance(ms);
          forwardMs += Math.max(0, ms);
          taken += takeAll(allowance);
        }
        expect(taken).to.be.at.most(burst + (forwardMs / 1_000) * perSecond + 1e-6);
      }),
    );
  });
});
