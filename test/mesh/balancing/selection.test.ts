import { expect } from 'chai';

import { MeshError } from '#kit';

import { instance } from '../../discovery/support/instances.ts';
import { failing, policyWith, simulateCalls } from './support/simulated-calls.ts';

const inZone = (zone: string, count: number) => Array.from({ length: count }, (_, position) => instance(`${zone}${position}`, { zone }));

/** The share of the calls that stay in zone a, in percent. */
function nearPercent(counts: Readonly<Record<string, number>>): number {
  const all = Object.entries(counts);
  const sum = (entries: readonly (readonly [string, number])[]): number => entries.reduce((total, [, count]) => total + count, 0);
  return (100 * sum(all.filter(([id]) => id.startsWith('a')))) / sum(all);
}

describe('the choice of an instance', () => {
  it('prefers the one with fewer calls in flight for its weight', () => {
    const { list, start, destination } = simulateCalls();
    list(instance('a', { weight: 1 }), instance('b', { weight: 3 }));
    for (let call = 0; call < 40; call += 1) start();
    expect(destination.read().endpoints.map(({ inFlight }) => inFlight)).to.deep.equal([10, 30]);
  });

  it('never gives the busier of two a call', () => {
    const { list, start, calls } = simulateCalls();
    list('a', 'b');
    const first = start();
    expect(calls(20)).to.deep.equal({ [first instanceof Error || first.id === 'b' ? 'a' : 'b']: 20 });
  });

  it('spreads a burst, too: calls that were sent in the same turn count before they have started', () => {
    const { list, start, destination } = simulateCalls();
    list('a', 'b');
    start();
    const to = Array.from({ length: 21 }, () => destination.pick(undefined)).map((sent) => (sent instanceof MeshError ? sent.reason : sent.endpoint.id));
    expect(to.filter((id) => id === 'a').length).to.be.within(10, 11);
  });

  it('avoids the instances that an earlier attempt went to, unless there is no other', () => {
    const { list, call } = simulateCalls();
    list('a', 'b', 'c');
    const attempt = (...avoid: readonly string[]) => ({ number: 2, avoid, stream: false, instance: undefined });
    for (let made = 0; made < 20; made += 1) {
      expect(call(undefined, attempt('a', 'b'))).to.equal('c');
      expect(call(undefined, attempt('a'))).not.to.equal('a');
      expect(call(undefined, attempt('a', 'b', 'c'))).to.be.oneOf(['a', 'b', 'c']);
    }
  });

  it('knows whether there are others to choose from: listed, connected and not left out', () => {
    const { list, calls, destination } = simulateCalls();
    list('a', 'b', 'c');
    expect(destination.hasOthers).to.equal(true);
    calls(40, failing('a'));
    expect(destination.hasOthers).to.equal(true);
    destination.setConnected('b', false);
    expect(destination.hasOthers).to.equal(false);
  });

  it('tells the attempt where it goes', () => {
    const { list, call } = simulateCalls();
    list('a');
    const attempt = { number: 1, avoid: [], stream: false, instance: undefined };
    call(undefined, attempt);
    expect(attempt.instance).to.equal('a');
  });

  it('gives a newcomer a small share that grows to its whole one', () => {
    const { list, calls, clock } = simulateCalls();
    list('a', 'b', 'c');
    list('a', 'b', 'c', 'd');
    const shares = [0, 2_500, 2_500].map((ms) => {
      clock.advance(ms);
      return (calls(4_000)['d'] ?? 0) / 4_000;
    });
    expect(shares[0]).to.be.closeTo(0.1 / 3.1, 0.015);
    expect(shares[1]).to.be.closeTo(0.5 / 3.5, 0.025);
    expect(shares[2]).to.be.closeTo(1 / 4, 0.025);
  });

  it('gives newcomers their whole share at once when slow start is switched off', () => {
    const { list, calls } = simulateCalls({ balancing: { slowStartMs: 0 } });
    list('a');
    list('a', 'b');
    expect(calls(1_000)['b']).to.be.closeTo(500, 60);
  });

  it('does not call an instance that cannot be reached', () => {
    const { list, calls, call, destination } = simulateCalls();
    list('a', 'b');
    destination.setConnected('a', false);
    expect(calls(20)).to.deep.equal({ b: 20 });
    destination.setConnected('b', false);
    expect(call()).to.equal('UNREACHABLE');
    list();
    expect(call()).to.equal('NO_INSTANCE');
  });

  describe('with zones', () => {
    it('keeps calls in the own zone while that has its part of the instances', () => {
      const { list, calls } = simulateCalls({}, { zone: 'a' });
      list(...inZone('a', 3), ...inZone('b', 3), ...inZone('c', 3));
      expect(nearPercent(calls(500))).to.equal(100);
    });

    it('spills over what the own zone is too small for: 43 % stay with 1 of 7 instances in 3 zones', () => {
      const { list, calls } = simulateCalls({}, { zone: 'a' });
      list(...inZone('a', 1), ...inZone('b', 3), ...inZone('c', 3));
      expect(nearPercent(calls(5_000))).to.be.closeTo(43, 3);
    });

    it('spills over as instances of the own zone are left out', () => {
      const { list, calls } = simulateCalls({}, { zone: 'a' });
      list(...inZone('a', 3), ...inZone('b', 3), ...inZone('c', 3));
      calls(100, failing('a0', 'a1'));
      expect(nearPercent(calls(5_000, failing('a0', 'a1')))).to.be.closeTo(43, 3);
    });

    it('leaves the own zone when nobody is left there', () => {
      const { list, calls } = simulateCalls({}, { zone: 'a' });
      list(...inZone('b', 2));
      expect(calls(100)).to.have.keys('b0', 'b1');
    });

    it('tries again in any zone, so that what an overloaded zone sheds finds room', () => {
      const { list, call } = simulateCalls({}, { zone: 'a' });
      list(...inZone('a', 2), ...inZone('b', 2));
      const to = new Set(Array.from({ length: 100 }, () => call(undefined, { number: 2, avoid: ['a0'], stream: false, instance: undefined })));
      expect([...to].sort()).to.deep.equal(['a1', 'b0', 'b1']);
    });

    it('takes no notice of them from the moment an operator says so', () => {
      const { list, calls, policy } = simulateCalls({}, { zone: 'a' });
      list(...inZone('a', 2), ...inZone('b', 2));
      expect(nearPercent(calls(100))).to.equal(100);
      policy.current = policyWith({ balancing: { zoneAware: false } });
      expect(nearPercent(calls(2_000))).to.be.closeTo(50, 5);
    });

    it('takes no notice of zones when told so, or when it has none', () => {
      for (const [zoneAware, zone] of [[false, 'a'], [true, '']] as const) {
        const { list, calls } = simulateCalls({ balancing: { zoneAware } }, { zone });
        list(...inZone('a', 2), ...inZone('b', 2));
        expect(nearPercent(calls(2_000))).to.be.closeTo(50, 5);
      }
    });
  });
});
