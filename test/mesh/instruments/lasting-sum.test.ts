import { expect } from 'chai';
import fc from 'fast-check';

import { createLastingSum } from '../../../mesh/instruments/lasting-sum.ts';

describe('a lasting sum', () => {
  it('keeps what one had counted when it goes, and counts on when it comes back as a new one', () => {
    const sum = createLastingSum();
    const a = { id: 'a', ejections: 2 };
    expect(sum([a, { id: 'b', ejections: 3 }])).to.equal(5);
    expect(sum([a])).to.equal(5);
    expect(sum([a, { id: 'b', ejections: 1 }])).to.equal(6);
  });

  it('counts one that came back between two looks from the start', () => {
    const sum = createLastingSum();
    expect(sum([{ id: 'a', ejections: 4 }])).to.equal(4);
    expect(sum([{ id: 'a', ejections: 1 }])).to.equal(5);
  });

  it('never falls, whoever comes and goes', () => {
    const present = fc.uniqueArray(fc.record({ id: fc.constantFrom('a', 'b', 'c'), ejections: fc.nat(9) }), { selector: ({ id }) => id });
    fc.assert(
      fc.property(fc.array(present), (looks) => {
        const sum = createLastingSum();
        const sums = looks.map(sum);
        expect(sums).to.deep.equal(sums.toSorted((one, other) => one - other));
      }),
    );
  });
});
