import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { expect } from 'chai';
import * as fc from 'fast-check';

import type { CallContext, ClientCall } from '#mesh';

import { withCallContext } from '../../../mesh/call-context.ts';
import { clientDeadline } from '../../../mesh/client/deadline.ts';
import { marginMs, outgoingDeadline, type TimeAsked } from '../../../mesh/client/outgoing-deadline.ts';
import { failureOf } from '../support/outcome.ts';
import { createTelemetry } from '../support/telemetry.ts';
import { unaryCall } from './support/calls.ts';
import { fakeTransport } from './support/fake-transport.ts';
import { createInstantClock, type InstantClock } from './support/instant-clock.ts';

const NOW = Date.UTC(2026, 0, 1);

/** What a call may take, in milliseconds from now. */
function leftMs(asked: Partial<TimeAsked> & { readonly servedMs?: number }): number {
  const { timeoutMs = Infinity, contractMs = 1_000, servedMs } = asked;
  return outgoingDeadline(NOW, { timeoutMs, contractMs, servedDeadline: servedMs === undefined ? undefined : NOW + servedMs }) - NOW;
}

describe('the deadline of an outgoing call', () => {
  it('is the contract’s when its caller names none', () => {
    expect(leftMs({})).to.equal(1_000);
    expect(leftMs({ contractMs: Infinity })).to.equal(Infinity);
  });

  it('is the caller’s own, shorter or longer than the contract’s', () => {
    expect(leftMs({ timeoutMs: 300 })).to.equal(300);
    expect(leftMs({ timeoutMs: 60_000 })).to.equal(60_000);
  });

  it('is before that of the call being served, whatever the caller says', () => {
    expect(leftMs({ timeoutMs: 60_000, servedMs: 500 })).to.equal(490);
    expect(leftMs({ contractMs: Infinity, servedMs: 500 })).to.equal(490);
    expect(leftMs({ timeoutMs: 100, servedMs: 500 })).to.equal(100);
    expect(leftMs({ servedMs: Infinity })).to.equal(1_000);
  });

  it('keeps 2 % for this hop, at least 1 ms and at most 25', () => {
    expect([5_000, 1_250, 1_000, 500, 60, 50, 20, 1, 0].map(marginMs)).to.deep.equal([25, 25, 20, 10, 2, 1, 1, 1, 1]);
  });

  it('leaves 4,925 of 5,000 ms at the fourth hop', () => {
    let left = leftMs({ timeoutMs: 5_000 });
    for (let hop = 2; hop <= 4; hop += 1) left = leftMs({ timeoutMs: 5_000, servedMs: left });
    expect(left).to.equal(4_925);
  });

  const time = fc.oneof(fc.constant(Infinity), fc.integer({ min: -1_000, max: 100_000 }));

  it('is always before the served call’s, by what an answer needs, and never later than asked for', () => {
    fc.assert(
      fc.property(time, time, fc.integer({ min: -1_000, max: 100_000 }), (timeoutMs, contractMs, servedMs) => {
        const left = leftMs({ timeoutMs, contractMs, servedMs });
        expect(left).to.be.at.most(timeoutMs === Infinity ? contractMs : timeoutMs);
        expect(servedMs - left).to.be.at.least(1);
      }),
    );
  });

  it('costs a served call no more than its margin', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 100_000 }), (servedMs) => {
        const margin = servedMs - leftMs({ contractMs: Infinity, servedMs });
        expect(margin).to.be.within(1, 25);
        expect(margin).to.be.at.most(1 + servedMs * 0.02);
      }),
    );
  });

  it('shrinks with every hop, and is spent in the end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), (timeoutMs) => {
        let [left, hops] = [timeoutMs, 0];
        for (; left > 0; hops += 1) {
          const next = leftMs({ timeoutMs, servedMs: left });
          expect(next).to.be.below(left);
          left = next;
        }
        expect(hops).to.be.at.most(timeoutMs);
      }),
    );
  });
});

describe('the client deadline', () => {
  let clock: InstantClock;
  beforeEach(() => {
    clock = createInstantClock(NOW);
  });

  /** Sends a call with this timeout, from within a served call if there is one. */
  async function sent(timeoutMs: number, served?: Pick<CallContext, 'deadline' | 'signal'>): Promise<readonly ClientCall[]> {
    const transport = fakeTransport('answer');
    // The deadline and the signal are all that is read of it.
    const context = served ? withCallContext(ROOT_CONTEXT, served as CallContext) : ROOT_CONTEXT;
    await clientDeadline(clock)(transport.invoke)({ ...unaryCall(clock, { context, method: { deadlineMs: 1_000 } }), timeoutMs });
    return transport.attempts;
  }

  it('is set on the call', async () => {
    expect((await sent(Infinity))[0]?.deadline).to.equal(NOW + 1_000);
    expect((await sent(60_000))[0]?.deadline).to.equal(NOW + 60_000);
  });

  it('hands on the served call’s, less the margin, and its cancellation', async () => {
    const { signal } = new AbortController();
    const [call] = await sent(Infinity, { deadline: NOW + 500, signal });
    expect(call?.deadline).to.equal(NOW + 490);
    expect(call?.signals).to.include(signal);
  });

  it('refuses a call before any work when nothing is left', async () => {
    const { signal } = new AbortController();
    for (const refused of [sent(0), sent(-5), sent(Number.NaN), sent(100, { deadline: NOW + 1, signal }), sent(100, { deadline: NOW - 1, signal })]) {
      expect(await failureOf(refused)).to.include({ code: 'DEADLINE_EXCEEDED', reason: 'DEADLINE_EXCEEDED' });
    }
  });

  it('refuses a call that nobody waits for any more', async () => {
    expect(await failureOf(sent(100, { deadline: NOW + 500, signal: AbortSignal.abort() }))).to.include({ code: 'CANCELLED' });
  });

  it('is told on the span of the call, unless there is none', async () => {
    const telemetry = createTelemetry();
    const lefts: unknown[] = [];
    for (const [timeoutMs, deadlineMs] of [[300, 1_000], [Infinity, Infinity]] as const) {
      const span = telemetry.tracer('caller').startSpan('call');
      const call = unaryCall(clock, { context: trace.setSpan(ROOT_CONTEXT, span), method: { deadlineMs } });
      await clientDeadline(clock)(fakeTransport('answer').invoke)({ ...call, timeoutMs });
      span.end();
      lefts.push(telemetry.spans().at(-1)?.attributes);
    }
    expect(lefts).to.deep.equal([{ 'mesh.deadline.left_ms': 300 }, {}]);
  });
});
