import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { expect } from 'chai';
import * as fc from 'fast-check';

import type { Clock, Code, ErrorDetails, MeshError } from '#kit';
import type { ClientCall, Invoke, Reply } from '#mesh';

import type { HedgingOptions } from '../../../mesh/client/resend-options.ts';
import { retries } from '../../../mesh/client/retries.ts';
import { seededRandom } from '../../kit/support.ts';
import { failureOf } from '../support/outcome.ts';
import { createTelemetry } from '../support/telemetry.ts';
import { failure, noCounts, policyWith, resendOptions, spent, unaryCall } from './support/calls.ts';
import { type FakeTransport, fakeTransport } from './support/fake-transport.ts';
import { createInstantClock, type InstantClock } from './support/instant-clock.ts';

const unavailable = failure('UNAVAILABLE');

describe('an attempt after the first', () => {
  let clock: InstantClock;
  beforeEach(() => {
    clock = createInstantClock();
  });

  const send = (transport: FakeTransport, call: ClientCall = unaryCall(clock), changes: Partial<HedgingOptions> = {}): Promise<Reply> =>
    retries(resendOptions(clock, changes))(transport.invoke)(call);

  it('says which it is, and avoids the instances of those before', async () => {
    const transport = fakeTransport(unavailable, unavailable, 'answer');
    const call = unaryCall(clock);
    await send(transport, call);
    expect(transport.attempts.map(({ attempt }) => attempt)).to.deep.equal([
      { number: 1, avoid: [], stream: false, instance: 'a' },
      { number: 2, avoid: ['a'], stream: false, instance: 'b' },
      { number: 3, avoid: ['a', 'b'], stream: false, instance: 'c' },
    ]);
    expect(transport.attempts.map(({ headers }) => headers['grpc-previous-rpc-attempts'])).to.deep.equal([undefined, '1', '2']);
    expect(transport.attempts[2]).to.include({ request: call.request, deadline: call.deadline, context: call.context });
    expect(transport.attempts[2]?.headers).to.include({ traceparent: 'of the call' });
    expect(call.headers).to.deep.equal({ traceparent: 'of the call' });
  });

  it('is counted, and told on the span of the call', async () => {
    const telemetry = createTelemetry();
    const span = telemetry.tracer('caller').startSpan('call');
    const counts = noCounts();
    await send(fakeTransport(unavailable, 'answer'), unaryCall(clock, { context: trace.setSpan(ROOT_CONTEXT, span) }), { counts });
    span.end();
    expect(counts.retries).to.equal(1);
    const [told] = telemetry.spans();
    expect(told?.attributes).to.deep.equal({ 'mesh.attempts': 2 });
    expect(told?.events.map(({ name, attributes }) => [name, attributes])).to.deep.equal([
      ['retry', { 'mesh.attempt': 2, 'mesh.instance': 'a', 'mesh.error.reason': 'UNAVAILABLE', 'mesh.retry.pause_ms': 25 }],
    ]);
  });

  it('that the budget does not pay for is told on the span, too', async () => {
    const telemetry = createTelemetry();
    const span = telemetry.tracer('caller').startSpan('call');
    await failureOf(send(fakeTransport(unavailable), unaryCall(clock, { context: trace.setSpan(ROOT_CONTEXT, span) }), { budget: spent }));
    span.end();
    expect(telemetry.spans()[0]?.events.map(({ name }) => name)).to.deep.equal(['budget spent']);
    expect(telemetry.spans()[0]?.attributes).to.deep.equal({});
  });

  describe('the time of one attempt', () => {
    const policy = policyWith({ retries: { perTryTimeoutMs: 100 } });

    /** How many attempts a call takes of which all are late. */
    async function attemptsOn(call: ClientCall): Promise<number> {
      const transport = fakeTransport(failure('DEADLINE_EXCEEDED'));
      await failureOf(send(transport, call, { policy }));
      return transport.attempts.length;
    }

    it('bounds each of them, within the deadline of the call', async () => {
      const transport = fakeTransport(unavailable);
      const call = unaryCall(clock, { leftMs: 190 });
      const started = clock.now();
      const takesTime: Invoke<ClientCall> = (attempt) => {
        clock.advance(60);
        return transport.invoke(attempt);
      };
      await failureOf(retries(resendOptions(clock, { policy }))(takesTime)(call));
      expect(transport.attempts.map(({ deadline }) => deadline - started)).to.deep.equal([100, 160, 190]);
    });

    it('is told apart from the call’s: another attempt follows', async () => {
      expect(await attemptsOn(unaryCall(clock))).to.equal(3);
      expect(await attemptsOn(unaryCall(clock, { method: { idempotent: false } }))).to.equal(1);
      expect(await attemptsOn(unaryCall(clock, { leftMs: 100 }))).to.equal(1);
    });

    it('leaves the instance visible on the call’s own attempt', async () => {
      const call = unaryCall(clock);
      await send(fakeTransport('answer'), call, { policy });
      expect(call.attempt.instance).to.equal('a');
    });
  });
});

describe('retries, whatever an attempt meets', () => {
  interface Drawn {
    readonly code: Code;
    readonly afterMs: number | undefined;
    readonly started: boolean;
  }
  const failed = fc.record({
    code: fc.constantFrom<Code>('UNAVAILABLE', 'NOT_FOUND', 'RESOURCE_EXHAUSTED'),
    afterMs: fc.option(fc.nat(300), { nil: undefined }),
    started: fc.boolean(),
  });
  const outcomes = fc.array(fc.option(failed), { minLength: 1, maxLength: 6 });

  function outcomeOf(drawn: Drawn | null): MeshError | 'answer' {
    if (!drawn) return 'answer';
    const { code, afterMs, started } = drawn;
    const details: ErrorDetails = afterMs === undefined ? {} : { retry: { kind: started ? 'after' : 'not-started', afterMs } };
    return failure(code, details);
  }

  it('send no more than they may, nothing after the deadline, and end with the last outcome', async () => {
    const [leftMs, seed, maxAttempts] = [fc.integer({ min: 1, max: 1_000 }), fc.integer(), fc.integer({ min: 1, max: 6 })];
    await fc.assert(
      fc.asyncProperty(outcomes, leftMs, seed, maxAttempts, async (drawn, left, seeded, most) => {
        const clock = createInstantClock();
        const slow: Clock = { now: clock.now, sleep: async (ms) => clock.advance(ms) };
        const played = drawn.map(outcomeOf);
        const transport = fakeTransport(...played);
        const call = unaryCall(clock, { leftMs: left });
        const options = resendOptions(slow, { random: seededRandom(seeded), policy: policyWith({ retries: { maxAttempts: most } }) });
        const ended: unknown = await retries(options)(transport.invoke)(call).then(() => 'answer', (error: unknown) => error);
        expect(ended).to.equal(played[Math.min(transport.attempts.length, played.length) - 1]);
        expect(transport.attempts.length).to.be.at.most(most);
        expect(clock.now()).to.be.below(call.deadline);
      }),
    );
  });
});
