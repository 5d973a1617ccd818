import { expect } from 'chai';

import { weightedRound } from '../../discovery/weighted-order.ts';
import { instance } from './support/instances.ts';

function round(...weights: number[]): string {
  const names = 'abcdefgh';
  return weightedRound(weights.map((weight, position) => instance(names[position] ?? '', { weight })))
    .map(({ id }) => id)
    .join('');
}

describe('a weighted round', () => {
  it('takes each once when all weigh the same', () => {
    expect(round(1, 1, 1)).to.equal('abc');
    expect(round(100, 100)).to.equal('ab');
    expect(round()).to.equal('');
  });

  it('spreads the turns of the heavy ones', () => {
    expect(round(1, 3)).to.equal('babb');
    expect(round(200, 300)).to.have.length(5);
  });

  it('stays short whatever the weights are', () => {
    expect(round(1, 65_535)).to.have.length(11);
    expect(round(7, 65_535, 3)).to.have.length(12);
  });
});
