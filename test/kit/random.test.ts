import { expect } from 'chai';

import { backoffMs, type Clock, jitter, newId, type Random, systemClock, systemRandom } from '#kit';

import { createBytePool } from '../../kit/random.ts';
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

describe('random bytes', () => {
  /** Bytes that tell where they came from: 4-byte numbers, one after another. */
  function counting() {
    let next = 0;
    const fills: number[] = [];
    const take = createBytePool((bytes) => {
      fills.push(bytes.length);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let at = 0; at + 4 <= bytes.length; at += 4) view.setUint32(at, (next += 1));
    });
    return { take, fills };
  }
  const numbersIn = (bytes: Uint8Array): number[] => Array.from({ length: bytes.length / 4 }, (_, at) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at * 4));

  it('are given once, across every refill of their pool, however many are asked for', () => {
    const { take } = counting();
    const random = seededRandom(5);
    const given = Array.from({ length: 5_000 }, () => take(4 * Math.floor(random.number() * 40)));
    const numbers = given.flatMap(numbersIn);
    expect(new Set(numbers).size).to.equal(numbers.length).and.above(50_000);
    expect(numbers).not.to.include(0);
  });

  it('belong to whoever got them: the pool’s next filling changes nothing, and neither does what others write', () => {
    const { take } = counting();
    const [first, second] = [take(16), take(16)];
    first.fill(255);
    take(4_096);
    expect([numbersIn(first)[0], numbersIn(second)]).to.deep.equal([0xffffffff, [5, 6, 7, 8]]);
  });

  it('are fetched for 256 ids at once; more than that are fetched by themselves', () => {
    const { take, fills } = counting();
    for (let id = 0; id < 512; id += 1) take(16);
    expect(take(10_000)).to.have.length(10_000);
    expect(take(0)).to.have.length(0);
    expect(fills).to.deep.equal([4_096, 4_096, 10_000]);
  });

  it('come from the system, another filling each time', () => {
    const [one, other] = [systemRandom.bytes(4_096), systemRandom.bytes(4_096)];
    expect(one).not.to.deep.equal(other);
    // Evenly spread: each value about 16 times.
    expect(new Set(one).size).to.equal(256);
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
