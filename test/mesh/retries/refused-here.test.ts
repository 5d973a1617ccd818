import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { MeshError, type Reason } from '#kit';
import type { ClientCall, Invoke } from '#mesh';

import { retries } from '../../../mesh/client/retries.ts';
import { failureOf } from '../support/outcome.ts';
import { createTelemetry } from '../support/telemetry.ts';
import { boundless, failure, resendOptions, unaryCall } from './support/calls.ts';
import { createWarmHedgingBench } from './support/hedging-bench.ts';
import { createInstantClock } from './support/instant-clock.ts';

const unavailable = failure('UNAVAILABLE');
const circuitOpen = refusedHere('CIRCUIT_OPEN');

function refusedHere(reason: Reason): MeshError {
  return new MeshError('UNAVAILABLE', reason, 'not now', { retry: { kind: 'not-started', afterMs: 1 } });
}

/** A transport whose attempts fail one after another: those with `at` at an instance, the others before one is picked. */
function failing(...failures: readonly { readonly error: MeshError; readonly at?: string }[]): Invoke<ClientCall> {
  let sent = 0;
  return async (call) => {
    const { error, at } = failures[sent++] ?? { error: unavailable };
    call.attempt.instance = at;
    throw error;
  };
}

describe('an attempt that this process refuses itself', () => {
  const clock = createInstantClock();

  it('pays nothing into the budget when it is the first', async () => {
    for (const reason of ['CIRCUIT_OPEN', 'TOO_MANY_CALLS', 'NO_INSTANCE', 'CONTROL_PLANE_UNAVAILABLE'] as const) {
      const budget = boundless();
      await failureOf(retries(resendOptions(clock, { budget }))(failing({ error: refusedHere(reason) }))(unaryCall(clock)));
      expect(budget.deposits, reason).to.equal(0);
    }
  });

  it('pays when an instance says so, of what is further down', async () => {
    const budget = boundless();
    await failureOf(retries(resendOptions(clock, { budget }))(failing({ error: circuitOpen, at: 'a' }))(unaryCall(clock)));
    expect(budget.deposits).to.equal(1);
  });

  it('gives back its price when it is a later one, and the caller hears what the instance said', async () => {
    const budget = boundless();
    const telemetry = createTelemetry();
    const span = telemetry.tracer('caller').startSpan('call');
    const call = unaryCall(clock, { context: trace.setSpan(ROOT_CONTEXT, span) });
    const transport = failing({ error: unavailable, at: 'a' }, { error: circuitOpen });
    expect(await failureOf(retries(resendOptions(clock, { budget }))(transport)(call))).to.equal(unavailable);
    span.end();
    expect(budget).to.include({ deposits: 1, refunds: 1 });
    expect(telemetry.spans()[0]?.events.map(({ name, attributes }) => [name, attributes?.['mesh.error.reason']])).to.deep.equal([
      ['retry', 'UNAVAILABLE'],
      ['attempt refused', 'CIRCUIT_OPEN'],
    ]);
  });

  it('does the same as a hedge, and as what follows one', async () => {
    const budget = boundless();
    const { send, clock: ruled, timers, held } = await createWarmHedgingBench(budget);
    const failed = failureOf(send(unaryCall(ruled)));
    timers.goOff();
    held.attempt(1).call.attempt.instance = undefined;
    held.attempt(1).fail(circuitOpen);
    await new Promise(setImmediate);
    held.attempt(0).fail(unavailable);
    await new Promise(setImmediate);
    held.attempt(2).call.attempt.instance = undefined;
    held.attempt(2).fail(circuitOpen);
    expect(await failed).to.equal(unavailable);
    expect(budget).to.include({ deposits: 101, refunds: 2 });
  });

  it('is told itself by a hedged call that has nothing else to tell, and pays nothing', async () => {
    const budget = boundless();
    const { send, clock: ruled, held } = await createWarmHedgingBench(budget);
    const failed = failureOf(send(unaryCall(ruled)));
    held.attempt(0).call.attempt.instance = undefined;
    held.attempt(0).fail(circuitOpen);
    expect(await failed).to.equal(circuitOpen);
    expect(budget.deposits).to.equal(100);
  });
});
