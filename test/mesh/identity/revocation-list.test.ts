import { expect } from 'chai';

import { createRevocationList, type Revocation } from '../../../mesh/identity/revocation-list.ts';
import { createRuledClock } from '../support/ruled-clock.ts';

const MINUTE_MS = 60_000;

describe('the list of revocations', () => {
  const clock = createRuledClock();
  const revocation = (sequence: bigint, userId: string, generation: number): Revocation => ({ sequence, userId, generation, expireTimeMs: clock.now() + 6 * MINUTE_MS });

  it('voids tokens of earlier generations, of this user only', () => {
    const list = createRevocationList(clock);
    list.add([revocation(1n, 'first', 2)]);
    const generations = [0, 1, 2, 3].filter((generation) => list.isRevoked({ userId: 'first', generation }));
    expect(generations).to.deep.equal([0, 1]);
    expect(list.isRevoked({ userId: 'second', generation: 0 })).to.equal(false);
  });

  it('goes on behind the last one, and hears each once', () => {
    const list = createRevocationList(clock);
    list.add([revocation(1n, 'first', 2), revocation(3n, 'first', 3)]);
    list.add([revocation(2n, 'first', 2)]);
    expect(list.lastSequence).to.equal(3n);
    expect(list.isRevoked({ userId: 'first', generation: 2 })).to.equal(true);
  });

  it('forgets what has expired, and not what was renewed', () => {
    const list = createRevocationList(clock);
    list.add([revocation(1n, 'first', 1), revocation(2n, 'second', 1)]);
    clock.advance(5 * MINUTE_MS);
    list.add([revocation(3n, 'first', 2)]);
    clock.advance(2 * MINUTE_MS);
    list.add([]);
    expect(list.isRevoked({ userId: 'first', generation: 1 })).to.equal(true);
    expect(list.isRevoked({ userId: 'second', generation: 0 })).to.equal(false);
  });
});
