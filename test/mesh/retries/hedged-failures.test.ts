import { setImmediate as turn } from 'node:timers/promises';

import { expect } from 'chai';

import { MeshError } from '#kit';

import { failureOf } from '../support/outcome.ts';
import { failure, policyWith, spent, unaryCall } from './support/calls.ts';
import { createWarmHedgingBench, type HedgingBench } from './support/hedging-bench.ts';

const unavailable = failure('UNAVAILABLE');

describe('a failing attempt of a hedged call', () => {
  let bench: HedgingBench;
  beforeEach(async () => {
    bench = await createWarmHedgingBench();
  });

  it('does not end the call while another is on its way', async () => {
    const { send, clock, timers, held } = bench;
    const reply = send(unaryCall(clock));
    timers.goOff();
    held.attempt(0).fail(unavailable);
    await turn();
    held.attempt(1).answer();
    await reply;
    expect(held.count()).to.equal(2);
  });

  it('ends it when no other would do better, and cancels the other', async () => {
    const { send, clock, timers, held } = bench;
    const notFound = failure('NOT_FOUND');
    const failed = failureOf(send(unaryCall(clock)));
    timers.goOff();
    held.attempt(0).fail(notFound);
    expect(await failed).to.equal(notFound);
    expect(held.attempt(1).cancelled()).to.be.true;
  });

  it('does not end it when it was only refused here', async () => {
    const { send, clock, timers, held, policy } = bench;
    policy.current = policyWith({ retries: { codes: [] } }).current;
    const reply = send(unaryCall(clock));
    timers.goOff();
    held.attempt(1).fail(new MeshError('UNAVAILABLE', 'TOO_MANY_CALLS', 'not now'));
    await turn();
    held.attempt(0).answer();
    await reply;
  });

  it('is followed by another as with retries, when it was the only one', async () => {
    const { send, clock, timers, held, counts } = bench;
    const reply = send(unaryCall(clock));
    held.attempt(0).fail(unavailable);
    await turn();
    expect(timers.waitingMs()).to.deep.equal([]);
    expect(held.attempt(1).call.attempt).to.deep.include({ number: 2, avoid: ['a'] });
    held.attempt(1).answer();
    await reply;
    expect(counts).to.include({ retries: 1, hedges: 0 });
    expect(clock.slept.map(Math.round)).to.deep.equal([25]);
  });

  it('is not followed by another while retries are off', async () => {
    const { send, clock, held, policy } = bench;
    policy.current = policyWith({ retries: { enabled: false } }).current;
    const failed = failureOf(send(unaryCall(clock)));
    held.attempt(0).fail(unavailable);
    expect(await failed).to.equal(unavailable);
  });

  it('and its hedge are followed by one more, and then the last failure is told', async () => {
    const { send, clock, timers, held, counts } = bench;
    const last = failure('UNAVAILABLE');
    const failed = failureOf(send(unaryCall(clock)));
    timers.goOff();
    held.attempt(0).fail(unavailable);
    held.attempt(1).fail(unavailable);
    await turn();
    held.attempt(2).fail(last);
    expect(await failed).to.equal(last);
    expect(held.count()).to.equal(3);
    expect(counts).to.include({ retries: 1, hedges: 1 });
  });

  it('stops further attempts when it says never', async () => {
    const { send, clock, timers, held } = bench;
    const never = failure('UNAVAILABLE', { retry: { kind: 'never' } });
    const failed = failureOf(send(unaryCall(clock)));
    held.attempt(0).fail(never);
    expect(await failed).to.equal(never);
    expect(timers.waitingMs()).to.deep.equal([]);
    expect(held.count()).to.equal(1);
  });

  it('ends the call when the budget pays for no other', async () => {
    const { send, clock, held, counts } = await createWarmHedgingBench(spent);
    const failed = failureOf(send(unaryCall(clock)));
    held.attempt(0).fail(unavailable);
    expect(await failed).to.equal(unavailable);
    expect(counts).to.include({ retries: 0, refusedByBudget: 1 });
  });

  it('changes nothing once the call is answered', async () => {
    const { send, clock, timers, held, counts } = bench;
    const reply = send(unaryCall(clock));
    timers.goOff();
    held.attempt(0).answer();
    held.attempt(1).fail(unavailable);
    await reply;
    await turn();
    expect(held.count()).to.equal(2);
    expect(counts.retries).to.equal(0);
  });
});

describe('the caller of a hedged call', () => {
  it('cancels every attempt by going away', async () => {
    const { send, clock, timers, held } = await createWarmHedgingBench();
    const caller = new AbortController();
    const failed = failureOf(send(unaryCall(clock, { signals: [caller.signal] })));
    timers.goOff();
    caller.abort();
    expect(await failed).to.include({ code: 'CANCELLED' });
    expect([held.attempt(0).cancelled(), held.attempt(1).cancelled()]).to.deep.equal([true, true]);
  });

  it('ends the pause between attempts, too', async () => {
    const { send, clock, held } = await createWarmHedgingBench();
    const caller = new AbortController();
    const failed = failureOf(send(unaryCall(clock, { signals: [caller.signal] })));
    held.attempt(0).fail(unavailable);
    caller.abort();
    expect(await failed).to.include({ code: 'CANCELLED' });
    expect(held.count()).to.equal(1);
  });
});
