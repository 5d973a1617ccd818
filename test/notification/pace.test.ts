import { expect } from 'chai';

import { systemClock } from '#kit';

import { createPace } from '../../services/notification/pace.ts';

describe('a pace', () => {
  let nowMs: number;
  const clock = { ...systemClock, now: () => nowMs };
  beforeEach(() => {
    nowMs = 1_000_000;
  });

  it('allows a second\'s worth at once, and then one after another', () => {
    const pace = createPace(50, clock);
    expect(pace.left()).to.equal(50);
    pace.take(50);
    expect(pace.left()).to.equal(0);
    nowMs += 19;
    expect(pace.left()).to.equal(0);
    nowMs += 1;
    expect(pace.left()).to.equal(1);
  });

  it('saves no more than a second\'s worth', () => {
    const pace = createPace(2, clock);
    nowMs += 3_600_000;
    expect(pace.left()).to.equal(2);
  });

  it('gives nothing for a clock that is set back, and goes on from there', () => {
    const pace = createPace(1, clock);
    pace.take(1);
    nowMs -= 500_000;
    expect(pace.left()).to.equal(0);
    nowMs += 1_000;
    expect(pace.left()).to.equal(1);
  });
});
