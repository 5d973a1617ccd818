import { expect } from 'chai';

import { trustOptions } from '#mesh';

import { followRoots } from '../../../mesh/client/balancing/trust-option.ts';
import { createTestAuthority, type TestAuthority } from '../../discovery/support/authority.ts';
import { type HeldIdentity, holdIdentity } from '../../discovery/support/held-identity.ts';

describe('the roots that a channel believes in', () => {
  let ours: TestAuthority;
  let order: HeldIdentity;
  before(async () => void (ours = await createTestAuthority()));
  beforeEach(async () => void (order = holdIdentity('order', await ours.leaf('order'), { ...ours.trust, roots: ['one', 'two'] })));
  const believe = (...roots: readonly string[]): void => order.believe({ ...ours.trust, roots });

  it('make for new connections when one of them is gone, and not when one comes or they are told in another order', () => {
    let gone = 0;
    const leave = followRoots(trustOptions(order), () => (gone += 1));
    believe('two', 'one');
    believe('three', 'two', 'one');
    believe('one', 'two', 'three');
    expect(gone).to.equal(0);
    believe('two', 'three');
    expect(gone).to.equal(1);
    believe('two', 'four');
    expect(gone, 'one came as one went').to.equal(2);
    leave();
    believe('five');
    expect([gone, order.listeners()]).to.deep.equal([2, 0]);
  });

  it('make for them at another moment for each instance, within a second', () => {
    const numbers = [0, 0.25, 0.999];
    const random = { number: () => numbers.shift() ?? 0, bytes: () => new Uint8Array() };
    const moments: number[] = [];
    followRoots(trustOptions(order, random), (laterMs) => moments.push(laterMs(), laterMs(), laterMs()));
    believe('one');
    expect(moments).to.deep.equal([0, 250, 999]);
  });
});
