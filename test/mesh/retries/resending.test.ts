import { expect } from 'chai';

import type { ClientCall, Method, Reply } from '#mesh';

import { isStream, streamOf } from '../../../mesh/call.ts';
import { createResending } from '../../../mesh/client/resending.ts';
import { timerSchedule } from '../../../mesh/client/schedule.ts';
import { failureOf } from '../support/outcome.ts';
import { answer, type CallChanges, failure, resendOptions, streamingCall, unaryCall } from './support/calls.ts';
import { fakeTransport } from './support/fake-transport.ts';
import { createInstantClock } from './support/instant-clock.ts';

describe('what sends calls again', () => {
  const clock = createInstantClock();

  /** Whether a further attempt is planned for a slow call of this method, once answers have been measured. */
  async function isHedged(changes: CallChanges, callOf: typeof unaryCall = unaryCall): Promise<boolean> {
    let planned = false;
    const schedule = () => {
      planned = true;
      return () => undefined;
    };
    const call = callOf(clock, changes);
    const send = createResending(call.method, resendOptions(clock, { schedule })).interceptor(answered);
    for (let index = 0; index < 101; index += 1) {
      const reply = await send(callOf(clock, changes));
      if (isStream(reply)) await reply[Symbol.asyncIterator]().next();
    }
    return planned;
  }

  /** One message, or a stream of one. */
  async function answered({ method }: ClientCall): Promise<Reply> {
    return method.desc.methodKind === 'unary' ? answer() : streamOf(async () => ({ done: false, value: answer() }), () => undefined);
  }

  const hedged: Partial<Method> = { hedged: true };

  it('hedges unary methods whose contract allows it, and no others', async () => {
    expect(await isHedged({ method: hedged })).to.be.true;
    expect(await isHedged({ method: { hedged: false } })).to.be.false;
    expect(await isHedged({ method: { ...hedged, idempotent: false } })).to.be.false;
    expect(await isHedged({ method: hedged }, streamingCall)).to.be.false;
  });

  it('counts what it sends', async () => {
    const call = unaryCall(clock);
    const resending = createResending(call.method, resendOptions(clock));
    await failureOf(resending.interceptor(fakeTransport(failure('UNAVAILABLE')).invoke)(call));
    expect(resending.read()).to.deep.equal({ retries: 2, hedges: 0, hedgesWon: 0, refusedByBudget: 0 });
  });

  it('plans by the timers of the process', async () => {
    const ran: string[] = [];
    timerSchedule(0, () => ran.push('cancelled'))();
    await new Promise<void>((resolve) => void timerSchedule(1, resolve));
    expect(ran).to.deep.equal([]);
  });
});
