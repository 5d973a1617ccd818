import { status } from '@grpc/grpc-js';
import { expect } from 'chai';

import type { Attempt } from '../../../mesh/client/attempt.ts';
import { type Ended, failing, simulateCalls, type SimulatedCalls } from './support/simulated-calls.ts';

const stream = (): Attempt => ({ number: 1, avoid: [], stream: true, instance: undefined });

function streams({ call }: SimulatedCalls, count: number, endOf: (id: string) => Ended): void {
  for (let made = 0; made < count; made += 1) call(endOf, stream());
}

describe('streams', () => {
  it('say nothing of an instance when they expire, or when their readers stop', () => {
    for (const code of [status.DEADLINE_EXCEEDED, status.CANCELLED]) {
      const simulated = simulateCalls();
      simulated.list('a', 'b', 'c');
      simulated.calls(300, () => ({ ms: 5 }));
      streams(simulated, 60, (id) => ({ ms: 30_000, ...(id === 'a' ? { code } : {}) }));
      expect(simulated.out(), status[code]).to.deep.equal([]);
      expect(simulated.endpoint('a').failures).to.equal(0);
    }
  });

  it('do not count as slow, however long they last', () => {
    const simulated = simulateCalls();
    simulated.list('a', 'b', 'c');
    for (let round = 0; round < 20; round += 1) {
      simulated.calls(100, () => ({ ms: 5 }));
      streams(simulated, 20, (id) => ({ ms: id === 'a' ? 200 : 1 }));
    }
    expect(simulated.out()).to.deep.equal([]);
    expect(simulated.endpoint('a').latencyMs).to.equal(5);
  });

  it('count as failures when their instance is gone', () => {
    const simulated = simulateCalls();
    simulated.list('a', 'b', 'c');
    streams(simulated, 40, failing('a'));
    expect(simulated.out()).to.deep.equal(['a']);
  });

  it('are no probes: the next other call is', () => {
    const simulated = simulateCalls();
    simulated.list('a', 'b');
    simulated.calls(40, failing('a'));
    simulated.clock.advance(2_400);
    expect(simulated.start(stream())).to.include({ id: 'b', probe: false });
    expect(simulated.start()).to.include({ id: 'a', probe: true });
  });

  it('bring an instance back without a probe when nothing else is called for 5 s, slowly', () => {
    const simulated = simulateCalls();
    simulated.list('a', 'b');
    streams(simulated, 40, failing('a'));
    simulated.clock.advance(2_400);
    streams(simulated, 1, () => ({}));
    expect(simulated.endpoint('a').state).to.equal('ejected');
    simulated.clock.advance(5_000);
    streams(simulated, 1, () => ({}));
    expect(simulated.endpoint('a').state).to.equal('slow-start');
  });

  it('close an open destination that has nothing else within 2 s, and open it again for longer when nobody is there still', () => {
    const simulated = simulateCalls();
    simulated.list('a');
    streams(simulated, 10, failing('a'));
    expect(simulated.destination.read().open).to.equal(true);
    simulated.clock.advance(1_200);
    streams(simulated, 5, failing('a'));
    expect(simulated.destination.read()).to.include({ open: true, openings: 2 });
    simulated.clock.advance(1_900);
    streams(simulated, 1, () => ({}));
    expect(simulated.destination.read().open).to.equal(false);
  });
});
