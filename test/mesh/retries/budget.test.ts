import { expect } from 'chai';
import * as fc from 'fast-check';

import { createBudget, type RetryBudget } from '../../../mesh/client/budget.ts';
import type { Budget } from '../../../mesh/policy/call-policy.ts';
import { createInstantClock, type InstantClock } from './support/instant-clock.ts';

const DEFAULTS: Budget = { enabled: true, percent: 20, perSecond: 10 };

/** Withdraws until it is refused. */
function emptied(budget: RetryBudget): number {
  let taken = 0;
  while (taken < 100_000 && budget.tryWithdraw()) taken += 1;
  return taken;
}

describe('retry budget', () => {
  let clock: InstantClock;
  beforeEach(() => {
    clock = createInstantClock();
  });

  const budgetOf = (changes: Partial<Budget> = {}): RetryBudget => createBudget({ current: { ...DEFAULTS, ...changes } }, clock);

  function call(budget: RetryBudget, times: number): void {
    for (let index = 0; index < times; index += 1) budget.deposit();
  }

  it('lets a fifth of the calls be tried again', () => {
    const budget = budgetOf({ perSecond: 0 });
    expect(budget.tryWithdraw()).to.be.false;
    call(budget, 1_000);
    expect(emptied(budget)).to.equal(200);
  });

  it('takes exactly five calls to pay for an attempt', () => {
    const budget = budgetOf({ perSecond: 0 });
    call(budget, 4);
    expect(budget.tryWithdraw()).to.be.false;
    call(budget, 1);
    expect(budget.tryWithdraw()).to.be.true;
  });

  it('begins with ten attempts and gains ten a second, for a destination that is hardly called', () => {
    const budget = budgetOf();
    expect(emptied(budget)).to.equal(10);
    clock.advance(100);
    expect(emptied(budget)).to.equal(1);
    clock.advance(3_600_000);
    expect(emptied(budget)).to.equal(10);
  });

  it('forgets what was not spent within about a second: a quiet hour pays for no storm', () => {
    const budget = budgetOf({ perSecond: 0 });
    for (let second = 0; second < 3_600; second += 60) {
      call(budget, 1_000);
      clock.advance(1_000);
    }
    call(budget, 1_000);
    expect(emptied(budget)).to.be.within(200, 320);
    call(budget, 1_000);
    clock.advance(10_000);
    expect(emptied(budget)).to.equal(0);
  });

  it('gains nothing from a clock that is set back', () => {
    const budget = budgetOf();
    emptied(budget);
    clock.advance(-60_000);
    expect(emptied(budget)).to.equal(0);
    clock.advance(100);
    expect(emptied(budget)).to.equal(1);
  });

  it('refuses nothing while it is off, and counts either way', () => {
    const policy = { current: { enabled: false, percent: 0, perSecond: 0 } };
    const budget = createBudget(policy, clock);
    for (let index = 0; index < 50; index += 1) expect(budget.tryWithdraw()).to.be.true;
    policy.current = { enabled: true, percent: 0, perSecond: 0 };
    expect(budget.tryWithdraw()).to.be.false;
    expect(budget.read()).to.deep.equal({ taken: 50, refused: 1 });
  });

  it('takes back what a call paid in that never left, and never more than is there', () => {
    const budget = budgetOf({ perSecond: 0 });
    call(budget, 5);
    budget.revoke();
    expect(budget.tryWithdraw()).to.be.false;
    for (let index = 0; index < 100; index += 1) budget.revoke();
    call(budget, 5);
    expect(emptied(budget)).to.equal(1);
  });

  it('gives back what an attempt cost that never left; it stays counted, for a total must not fall', () => {
    const budget = budgetOf();
    expect(emptied(budget)).to.equal(10);
    budget.refund();
    expect(emptied(budget)).to.equal(1);
    expect(budget.read().taken).to.equal(11);
  });

  it('gives nothing back that it did not take: while it is off', () => {
    const policy = { current: { enabled: false, percent: 20, perSecond: 0 } };
    const budget = createBudget(policy, clock);
    budget.tryWithdraw();
    budget.refund();
    policy.current = { ...policy.current, enabled: true };
    expect(emptied(budget)).to.equal(0);
  });

  it('follows a share that is changed while it runs', () => {
    const policy = { current: { enabled: true, percent: 20, perSecond: 0 } };
    const budget = createBudget(policy, clock);
    policy.current = { ...policy.current, percent: 50 };
    call(budget, 100);
    expect(emptied(budget)).to.equal(50);
  });

  type Step = { readonly calls: number; readonly tries: number; readonly passMs: number };
  const steps = fc.array(fc.record({ calls: fc.nat(50), tries: fc.nat(50), passMs: fc.integer({ min: -500, max: 3_000 }) }), { maxLength: 60 });

  /** Calls, withdrawals that were granted, and the bound on them. */
  function play(history: readonly Step[], { percent, perSecond }: Pick<Budget, 'percent' | 'perSecond'>): { granted: number; bound: number } {
    const budget = budgetOf({ percent, perSecond });
    let [calls, passedMs, granted] = [0, 0, 0];
    for (const step of history) {
      call(budget, step.calls);
      for (let index = 0; index < step.tries; index += 1) granted += Number(budget.tryWithdraw());
      clock.advance(step.passMs);
      [calls, passedMs] = [calls + step.calls, passedMs + Math.max(0, step.passMs)];
    }
    return { granted, bound: (calls * percent) / 100 + (perSecond * passedMs) / 1_000 + perSecond };
  }

  it('never lets attempts exceed calls * 1.2 + 10/s * time + 10, whatever happens when', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const { granted, bound } = play(history, DEFAULTS);
        expect(granted).to.be.at.most(bound + 1e-6);
      }),
    );
  });

  it('keeps that bound for any share and any rate', () => {
    fc.assert(
      fc.property(steps, fc.nat(100), fc.nat(100), (history, percent, perSecond) => {
        const { granted, bound } = play(history, { percent, perSecond });
        expect(granted).to.be.at.most(bound + 1e-6);
      }),
    );
  });

  it('stays within 1.2 of a destination where everything fails and everybody tries again', () => {
    const budget = budgetOf();
    emptied(budget);
    let granted = 0;
    for (let ms = 0; ms < 10_000; ms += 1, clock.advance(1)) {
      budget.deposit();
      for (let tries = 0; tries < 2; tries += 1) granted += Number(budget.tryWithdraw());
    }
    // A fifth of 10,000, ten a second.
    expect(granted).to.be.within(1_990, 2_100);
  });
});
