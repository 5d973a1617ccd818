import { expect } from 'chai';

import { backoffMs, type Clock, jitter, newId, type Random, systemClock, systemRandom } from '#kit';

import { seededRandom } from './support.ts';

const always = (number: number): Random => ({ ...systemRandom, number: () => number });
const middle = always(0.5);

describe('backoff', () => {
  it('doubles with each attempt, from the base to the limit', () => {
    const waits = [1, 2, 3, 4, 5, 6].map((attempt) => backoffMs(attempt, 100, 1_000, middle));
    expect(waits).to.deep.equal([100, 200, 400, 800, 1_000, 1_000]);
  });

  it('is spread by a fifth to either side, the limit too', () => {
    expect(backoffMs(1, 100, 1_000, always(0))).to.equal(80);
    expect(backoffMs(1, 100, 1_000, always(0.999_999))).to.be.closeTo(120, 0.01);
    expect(backoffMs(9, 100, 1_000, always(0.999_999))).to.be.closeTo(1_200, 0.01);
  });

  it('stays at its limit however often something fails', () => {
    for (const attempt of [50, 1_000, 1e6, Number.MAX_SAFE_INTEGER]) expect(backoffMs(attempt, 100, 5_000, middle)).to.equal(5_000);
  });

  it('spreads evenly', () => {
    const random = seededRandom(3);
    const waits = Array.from({ length: 10_000 }, () => jitter(100, random));
    expect(Math.min(...waits)).to.be.within(80, 80.1);
    expect(Math.max(...waits)).to.be.within(119.9, 120);
    expect(waits.reduce((sum, wait) => sum + wait, 0) / waits.length).to.be.closeTo(100, 1);
  });
});

describe('an id', () => {
  const at = (ms: number): Clock => ({ ...systemClock, now: () => ms });

  it('is a UUIDv7 that fits where an id of the contracts is asked for', () => {
    const id = newId(systemClock, systemRandom);
    expect(id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/).and.match(/^[a-z0-9-]{1,64}$/);
  });

  it('sorts by the time it was made', () => {
    const ids = [1, 2, 1_000, 1_700_000_000_000, 1_700_000_000_001].map((ms) => newId(at(ms), systemRandom));
    expect([...ids].sort()).to.deep.equal(ids);
  });

  it('is another one each time, also within a millisecond', () => {
    const ids = new Set(Array.from({ length: 10_000 }, () => newId(at(1_700_000_000_000), systemRandom)));
    expect(ids.size).to.equal(10_000);
  });

  it('is ruled by the randomness it is given', () => {
    const [one, other] = [seededRandom(4), seededRandom(4)].map((random) => newId(at(1), random));
    expect(one).to.equal(other);
  });
});
