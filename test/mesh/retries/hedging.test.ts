import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { expect } from 'chai';

import type { Headers } from '../../../mesh/headers.ts';
import { createTelemetry } from '../support/telemetry.ts';
import { answer, boundless, noCounts, policyWith, spent, unaryCall } from './support/calls.ts';
import { createHedgingBench, createWarmHedgingBench, type HedgingBench } from './support/hedging-bench.ts';

describe('hedging', () => {
  let bench: HedgingBench;
  beforeEach(async () => {
    bench = await createWarmHedgingBench();
  });

  /** After how long a second attempt would follow; undefined when none would. */
  async function plannedMs({ send, clock, timers, held }: HedgingBench): Promise<number | undefined> {
    const reply = send(unaryCall(clock));
    const [planned] = timers.waitingMs();
    held.attempt(held.count() - 1).answer();
    await reply;
    return planned;
  }

  describe('a second attempt', () => {
    it('goes out when the first takes longer than 95 % of the answers did, to another instance', async () => {
      const { send, clock, timers, held } = bench;
      const reply = send(unaryCall(clock));
      expect(timers.waitingMs()).to.deep.equal([20]);
      timers.goOff();
      expect(held.count()).to.equal(2);
      expect(held.attempt(1).call.attempt).to.deep.equal({ number: 2, avoid: ['a'], stream: false, instance: 'b' });
      expect(held.attempt(1).call.headers['grpc-previous-rpc-attempts']).to.equal('1');
      held.attempt(1).answer();
      await reply;
    });

    it('does not go out once the first is answered', async () => {
      expect(await plannedMs(bench)).to.equal(20);
      expect(bench.timers.waitingMs()).to.deep.equal([]);
      expect(bench.counts).to.deep.equal(noCounts());
    });

    it('waits at least five milliseconds', async () => {
      const quick = createHedgingBench();
      await quick.answersIn(1, 100);
      expect(await plannedMs(quick)).to.equal(5);
    });

    it('does not go out before a hundred answers were measured', async () => {
      const fresh = createHedgingBench();
      await fresh.answersIn(20, 99);
      expect(await plannedMs(fresh)).to.equal(undefined);
      expect(await plannedMs(fresh)).to.equal(20);
    });

    it('does not go out while hedging is off', async () => {
      bench.policy.current = policyWith({ hedging: { enabled: false } }).current;
      expect(await plannedMs(bench)).to.equal(undefined);
    });

    it('does not go out where there is no other instance', async () => {
      const lonely = createHedgingBench(boundless(), () => false);
      await lonely.answersIn(20, 100);
      expect(await plannedMs(lonely)).to.equal(undefined);
    });

    it('does not go out where the others were left out since the call began', async () => {
      let others = true;
      const shrinking = createHedgingBench(boundless(), () => others);
      await shrinking.answersIn(20, 100);
      const { send, clock, timers, held, counts } = shrinking;
      const reply = send(unaryCall(clock));
      others = false;
      timers.goOff();
      expect(held.count()).to.equal(1);
      held.attempt(0).answer();
      await reply;
      expect(counts).to.deep.equal(noCounts());
    });

    it('does not go out for a call without its idempotency key: the server would make up two', async () => {
      const { send, clock, timers, held } = bench;
      const reply = send(unaryCall(clock, { method: { hedged: true, keyField: 'userId' } }));
      expect(timers.waitingMs()).to.deep.equal([]);
      held.attempt(0).answer();
      await reply;
    });

    it('is followed by a third where so many are allowed, and by no further one', async () => {
      const { send, clock, timers, held, policy } = bench;
      policy.current = policyWith({ hedging: { maxAttempts: 3 } }).current;
      const reply = send(unaryCall(clock));
      timers.goOff();
      timers.goOff();
      expect(timers.waitingMs()).to.deep.equal([]);
      expect(held.attempt(2).call.attempt.avoid).to.deep.equal(['a', 'b']);
      held.attempt(0).answer();
      await reply;
      expect([held.attempt(1).cancelled(), held.attempt(2).cancelled()]).to.deep.equal([true, true]);
    });

    it('is paid from the budget of retries, or not sent', async () => {
      const { send, clock, timers, held, counts } = await createWarmHedgingBench(spent);
      const reply = send(unaryCall(clock));
      timers.goOff();
      expect(held.count()).to.equal(1);
      held.attempt(0).answer();
      await reply;
      expect(counts).to.include({ hedges: 0, refusedByBudget: 1 });
    });

    it('pays nothing into it: a call pays once', async () => {
      const budget = boundless();
      const { send, clock, timers, held } = await createWarmHedgingBench(budget);
      const reply = send(unaryCall(clock));
      timers.goOff();
      held.attempt(0).answer();
      await reply;
      expect(budget.deposits).to.equal(101);
    });

    it('is told on the span of the call', async () => {
      const { send, clock, timers, held } = bench;
      const telemetry = createTelemetry();
      const span = telemetry.tracer('caller').startSpan('call');
      const reply = send(unaryCall(clock, { context: trace.setSpan(ROOT_CONTEXT, span) }));
      timers.goOff();
      held.attempt(1).answer();
      await reply;
      span.end();
      const [told] = telemetry.spans();
      expect(told?.attributes).to.deep.equal({ 'mesh.attempts': 2 });
      expect(told?.events.map(({ name, attributes }) => [name, attributes])).to.deep.equal([
        ['hedge', { 'mesh.attempt': 2, 'mesh.instance': 'a', 'mesh.hedge.delay_ms': 20 }],
      ]);
    });
  });

  describe('the first answer', () => {
    it('is the call’s, and the other attempt is cancelled', async () => {
      const { send, clock, timers, held, counts } = bench;
      const second = answer();
      const reply = send(unaryCall(clock));
      timers.goOff();
      held.attempt(1).answer(second);
      expect(await reply).to.equal(second);
      expect([held.attempt(0).cancelled(), held.attempt(1).cancelled()]).to.deep.equal([true, false]);
      expect(counts).to.include({ hedges: 1, hedgesWon: 1 });
    });

    it('may be the first attempt’s, also when both come at once', async () => {
      const { send, clock, timers, held, counts } = bench;
      const first = answer();
      const reply = send(unaryCall(clock));
      timers.goOff();
      held.attempt(0).answer(first);
      held.attempt(1).answer();
      expect(await reply).to.equal(first);
      expect(counts).to.include({ hedges: 1, hedgesWon: 0 });
    });

    it('is told with its own headers and trailers', async () => {
      const { send, clock, timers, held } = bench;
      const told: unknown[] = [];
      const tell = (what: string) => (of: Headers) => void told.push([what, of]);
      const reply = send({ ...unaryCall(clock), onHeaders: tell('headers'), onTrailers: tell('trailers') });
      timers.goOff();
      held.attempt(1).call.onHeaders?.({ from: 'b' });
      held.attempt(0).call.onHeaders?.({ from: 'a' });
      held.attempt(1).call.onTrailers?.({ end: 'b' });
      held.attempt(1).answer();
      await reply;
      expect(told).to.deep.equal([['headers', { from: 'b' }], ['trailers', { end: 'b' }]]);
    });
  });

  it('counts a cancelled attempt as having taken so long as it did, or hedges would go out ever sooner', async () => {
    const { send, clock, timers, held, answersIn } = createHedgingBench();
    await answersIn(2, 90);
    await answersIn(100, 10);
    for (let round = 0; round < 50; round += 1) {
      await answersIn(2, 9);
      const reply = send(unaryCall(clock));
      clock.advance((timers.waitingMs()[0] ?? 0) + 1);
      timers.goOff();
      held.attempt(2 * round + 1).answer();
      await reply;
    }
    // Else after 5 ms, the least.
    const reply = send(unaryCall(clock));
    expect(timers.waitingMs()[0]).to.be.within(99, 160);
    held.attempt(100).answer();
    await reply;
  });
});
