import { status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { MeshError, refusal } from '#kit';

import { answeredWith, type Ended, failing, policyWith, simulateCalls, type SimulatedCalls } from './support/simulated-calls.ts';

const down = failing('a', 'b', 'c');

function openIt(simulated: SimulatedCalls, ...ids: readonly string[]): void {
  simulated.list(...ids);
  simulated.calls(60, down);
  expect(simulated.destination.read().open).to.equal(true);
}

/** Calls every 10 ms; returns when the first one was answered. */
function callsUntilAnswered({ call, clock }: SimulatedCalls, endOf: (id: string) => Ended): number {
  const startedAtMs = clock.now();
  while (clock.now() - startedAtMs < 60_000) {
    const to = call(endOf);
    if (to !== 'CIRCUIT_OPEN' && endOf(to).code === undefined) return clock.now() - startedAtMs;
    clock.advance(10);
  }
  return Infinity;
}

describe('the circuit of a destination', () => {
  it('opens when those that are left fail call after call, too', () => {
    const simulated = simulateCalls();
    openIt(simulated, 'a', 'b', 'c');
    const refused = simulated.start();
    expect(refused).to.be.instanceOf(MeshError);
    expect(refused).to.include({ code: 'UNAVAILABLE', reason: 'CIRCUIT_OPEN' });
    expect(simulated.destination.read()).to.deep.include({ openings: 1, refused: { circuitOpen: 61 - 15, tooManyCalls: 0 } });
  });

  it('says when it is tried again, in the sentence, for programs, and as a retry hint', () => {
    const simulated = simulateCalls();
    openIt(simulated, 'a');
    simulated.clock.advance(100);
    const refused = simulated.start();
    if (!(refused instanceof MeshError)) throw new Error('a call went out');
    const [, ms = ''] = /tried again in (\d+) ms/.exec(refused.message) ?? [];
    expect(Number(ms)).to.be.within(300, 500);
    expect(refused.retry).to.deep.equal({ kind: 'not-started', afterMs: Number(ms) });
    expect(refused.metadata).to.deep.equal({ retryInMs: ms });
  });

  it('stays closed while calls still succeed now and then: half of a service is better than none', () => {
    const { list, call, clock, destination } = simulateCalls();
    list('a');
    for (let round = 0; round < 100; round += 1) {
      call();
      for (let failed = 0; failed < 10; failed += 1) call(down);
      clock.advance(200);
    }
    expect(destination.read()).to.include({ open: false, openings: 0 });
  });

  it('stays closed for what an instance says itself: one method that is broken everywhere takes no other away', () => {
    const { list, call, clock, destination, out } = simulateCalls();
    list('a', 'b', 'c');
    for (let broken = 0; broken < 200; broken += 1) {
      call(() => answeredWith(broken % 2 === 0 ? refusal('INTERNAL', 'a bug') : refusal('DATABASE_UNAVAILABLE', 'no database')));
      clock.advance(100);
    }
    expect(destination.read()).to.include({ open: false, openings: 0 });
    expect(out()).to.deep.equal([]);
  });

  it('stays closed when a slow method expires six times and then nothing is called for a moment', () => {
    const { list, start, calls, clock, call, destination } = simulateCalls();
    list('a');
    calls(50, () => ({ ms: 5 }));
    const slow = Array.from({ length: 6 }, () => start());
    clock.advance(1_000);
    for (const one of slow) if ('end' in one) one.end({ code: status.DEADLINE_EXCEEDED });
    clock.advance(260);
    call(() => ({ code: status.DEADLINE_EXCEEDED, ms: 1_000 }));
    expect(destination.read().open).to.equal(false);
    expect(call()).to.equal('a');
  });

  it('opens before a black hole, when calls expire and nothing at all was heard for 3 s', () => {
    const { list, calls, call, clock, destination } = simulateCalls();
    list('a', 'b');
    calls(100, () => ({ ms: 5 }));
    clock.advance(60_000);
    let expiredMs = 0;
    for (; !destination.read().open && expiredMs < 10_000; expiredMs += 100) call(() => ({ code: status.DEADLINE_EXCEEDED, ms: 100 }));
    expect(expiredMs).to.be.within(3_000, 3_500);
  });

  it('closes by a probe that is answered slowly, or with an error of the instance itself: it lives', () => {
    for (const end of [{ ms: 400 }, answeredWith(refusal('INTERNAL', 'a bug'))]) {
      const simulated = simulateCalls();
      simulated.list('a', 'b');
      simulated.calls(500, () => ({ ms: 5 }));
      simulated.clock.advance(1_000);
      simulated.calls(30, down);
      simulated.clock.advance(1_000);
      expect(simulated.destination.read().open).to.equal(true);
      simulated.call(() => end);
      expect(simulated.destination.read().open).to.equal(false);
    }
  });

  it('never opens where it is switched off, and calls go on', () => {
    const { list, calls, destination } = simulateCalls({ circuit: { enabled: false } });
    list('a', 'b');
    expect(calls(300, failing('a', 'b'))).to.have.any.keys('a', 'b');
    expect(destination.read()).to.deep.include({ open: false, refused: { circuitOpen: 0, tooManyCalls: 0 } });
  });

  it('lets calls go again at once when an operator switches it off', () => {
    const simulated = simulateCalls();
    openIt(simulated, 'a', 'b');
    simulated.policy.current = policyWith({ circuit: { enabled: false } });
    expect(simulated.call()).to.be.oneOf(['a', 'b']);
    expect(simulated.destination.read().open).to.equal(false);
  });

  it('opens with ejection switched off', () => {
    openIt(simulateCalls({ ejection: { enabled: false } }), 'a', 'b');
  });

  it('closes by a probe: a single instance is called again within 2 s of being well, however long it was not', () => {
    for (const downMs of [100, 1_000, 3_000, 30_000]) {
      const simulated = simulateCalls();
      openIt(simulated, 'a');
      const wellAtMs = simulated.clock.now() + downMs;
      const tookMs = callsUntilAnswered(simulated, (id) => (simulated.clock.now() < wellAtMs ? down(id) : {}));
      expect(tookMs - downMs, `down for ${downMs} ms`).to.be.below(2_000);
      expect(simulated.destination.read().open).to.equal(false);
    }
  });

  it('lets one call at a time find out, and another when the first is not answered for 500 ms', () => {
    const simulated = simulateCalls();
    openIt(simulated, 'a');
    simulated.clock.advance(600);
    expect(simulated.start()).to.include({ id: 'a', probe: true });
    expect(simulated.call()).to.equal('CIRCUIT_OPEN');
    simulated.clock.advance(500);
    expect(simulated.call()).to.equal('a');
    expect(simulated.destination.read()).to.include({ open: false, inFlight: 1 });
  });

  it('waits longer each time a probe fails: 0.5, 1, 1.5 s', () => {
    const simulated = simulateCalls();
    openIt(simulated, 'a');
    for (const ms of [1_000, 1_500, 1_500]) {
      simulated.clock.advance(1_500);
      expect(simulated.call(down)).to.equal('a');
      const refused = simulated.start();
      expect(refused instanceof MeshError && Number(refused.metadata['retryInMs'])).to.be.within(ms * 0.8 - 1, Math.min(1_500, ms * 1.2 + 1));
    }
  });

  it('takes others back with the first that is well, as far as the cap asks for it', () => {
    const simulated = simulateCalls();
    openIt(simulated, 'a', 'b', 'c');
    callsUntilAnswered(simulated, () => ({}));
    expect(simulated.out().length).to.be.at.most(1);
  });

  it('opens, and tries soon, when the only ones left are those it had left out for long', () => {
    const simulated = simulateCalls({ ejection: { baseMs: 60_000 } });
    const { list, calls, destination } = simulated;
    list('a', 'b');
    calls(40, failing('a'));
    destination.setConnected('b', false);
    expect(destination.read().open).to.equal(true);
    expect(callsUntilAnswered(simulated, () => ({}))).to.be.below(700);
  });

  it('closes when an instance comes that has done nothing wrong', () => {
    const simulated = simulateCalls();
    openIt(simulated, 'a');
    simulated.list('a', 'b');
    expect(simulated.destination.read().open).to.equal(false);
    expect(simulated.call()).to.equal('b');
  });
});
