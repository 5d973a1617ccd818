import { status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { failing, simulateCalls } from './support/simulated-calls.ts';

describe('the probe of an instance that is left out', () => {
  it('leaves it out for longer when the probe fails, too', () => {
    const { list, calls, call, clock, endpoint } = simulateCalls();
    list('a', 'b');
    calls(40, failing('a'));
    clock.advance(2_400);
    expect(call(failing('a'))).to.equal('a');
    clock.advance(3_100);
    expect(call(failing('a')), 'before 4 s, less a fifth, are over').to.equal('b');
    clock.advance(1_700);
    expect(call()).to.equal('a');
    expect(endpoint('a').ejections).to.equal(1);
  });

  it('does not send further attempts of a call as probes', () => {
    const { list, calls, call, clock } = simulateCalls();
    list('a', 'b');
    calls(40, failing('a'));
    clock.advance(2_400);
    expect(call(undefined, { number: 2, avoid: [], stream: false, instance: undefined })).to.equal('b');
    expect(call(undefined, { number: 1, avoid: [], stream: false, instance: undefined })).to.equal('a');
  });

  it('lets another probe go when the first one said nothing, or never began', async () => {
    const { list, calls, call, clock, destination } = simulateCalls();
    list('a', 'b');
    calls(40, failing('a'));
    clock.advance(2_400);
    expect(call(() => ({ code: status.CANCELLED }))).to.equal('a');
    expect(destination.pick(undefined)).to.include({ probe: true });
    expect(call(), 'it may begin as long as the turn of the event loop lasts').to.equal('b');
    await new Promise((resolve) => setImmediate(resolve));
    expect(call(), 'it was cancelled').to.equal('a');
  });

  it('waits 5 s for a probe that began, then lets another one go', () => {
    const { list, calls, call, clock, start } = simulateCalls();
    list('a', 'b');
    calls(40, failing('a'));
    clock.advance(2_400);
    expect(start()).to.include({ id: 'a', probe: true });
    clock.advance(4_999);
    expect(call()).to.equal('b');
    clock.advance(1);
    expect(call()).to.equal('a');
  });
});
