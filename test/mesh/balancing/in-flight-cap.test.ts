import { expect } from 'chai';

import { MeshError } from '#kit';

import { simulateCalls } from './support/simulated-calls.ts';

describe('the cap on calls in flight', () => {
  it('refuses the next one with TOO_MANY_CALLS, which is not to be tried again', () => {
    const { list, start, destination } = simulateCalls({ circuit: { maxInFlight: 3 } });
    list('a', 'b');
    const started = [start(), start(), start()];
    expect(start()).to.deep.include({ code: 'UNAVAILABLE', reason: 'TOO_MANY_CALLS', retry: { kind: 'never' } });
    for (const call of started) if ('end' in call) call.end();
    expect(start()).to.have.property('id');
    expect(destination.read()).to.deep.include({ inFlight: 1, refused: { circuitOpen: 0, tooManyCalls: 1 } });
  });

  it('counts calls that were sent and have not begun, until the turn of the event loop is over', async () => {
    const { list, destination } = simulateCalls({ circuit: { maxInFlight: 3 } });
    list('a');
    const reasons = (): readonly string[] =>
      Array.from({ length: 5 }, () => destination.pick(undefined)).map((picked) => (picked instanceof MeshError ? picked.reason : 'sent'));
    expect(reasons()).to.deep.equal(['sent', 'sent', 'sent', 'TOO_MANY_CALLS', 'TOO_MANY_CALLS']);
    await new Promise((resolve) => setImmediate(resolve));
    // They were cancelled before they began, and nothing of them is left.
    expect(reasons().filter((reason) => reason === 'sent')).to.have.length(3);
  });

  it('holds where the open state is switched off, too, and has a number of its own for none', () => {
    for (const [maxInFlight, second] of [[1, 'TOO_MANY_CALLS'], [Infinity, 'a']] as const) {
      const { list, start, call } = simulateCalls({ circuit: { enabled: false, maxInFlight } });
      list('a');
      start();
      expect(call()).to.equal(second);
    }
  });
});
