import { create } from '@bufbuild/protobuf';
import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { refusal, systemClock, systemRandom } from '#kit';

import type { Fault } from '../../../mesh/policy/fault.ts';
import { type ServerFaults, serverFaults, type ServerFaultsOptions } from '../../../mesh/server/faults.ts';
import { seededRandom } from '../../kit/support.ts';
import { callOf, methodOf } from '../admission/support/calls.ts';
import { createVirtualTime, settled, type VirtualTime } from '../admission/support/virtual-time.ts';
import { failureOf } from '../support/outcome.ts';
import { createTelemetry } from '../support/telemetry.ts';

const ABORT: Fault = { percent: 100, delayMs: 0, abort: 'UNAVAILABLE', untilMs: Infinity };
const method = methodOf();

describe('faults on purpose', () => {
  let time: VirtualTime;
  beforeEach(() => void (time = createVirtualTime()));

  function faultsOf(ordered: readonly Fault[], options: Partial<ServerFaultsOptions> = {}): ServerFaults & { call(header?: string): Promise<unknown> } {
    const faults = serverFaults({ faults: { current: ordered }, allowed: true, clock: time.clock, random: systemRandom, ...options });
    const serve = faults.link(async () => create(method.desc.output));
    return { ...faults, call: (header) => serve(callOf(method, Infinity, header === undefined ? {} : { 'mesh-fault': header })) };
  }

  it('fail a call under the code that was ordered, and say that they are meant', async () => {
    const { call, read } = faultsOf([{ ...ABORT, abort: 'ABORTED' }]);
    const error = await failureOf(call());
    expect(error).to.include({ code: 'ABORTED', reason: 'FAULT_INJECTED' });
    expect(error.message).to.include('mesh fault list');
    expect(read()).to.deep.equal({ injected: 1 });
  });

  it('hit the share of the calls that was ordered', async () => {
    const { call, read } = faultsOf([{ ...ABORT, percent: 30 }], { random: seededRandom(3) });
    for (let times = 0; times < 1_000; times += 1) await call().catch(() => {});
    expect(read().injected).to.be.within(250, 350);
  });

  it('delay a call before it is served', async () => {
    const { call } = faultsOf([{ ...ABORT, abort: undefined, delayMs: 2_000 }]);
    let answered = false;
    void call().then(() => (answered = true));
    await time.run(1_999);
    expect(answered).to.be.false;
    await time.run(2_000);
    expect(answered).to.be.true;
  });

  it('delay it no longer than it is wanted', async () => {
    const { link } = faultsOf([{ ...ABORT, delayMs: 60_000 }], { clock: systemClock });
    const call = callOf(method);
    const failure = failureOf(link(async () => create(method.desc.output))(call));
    await settled();
    call.lifetime.end(refusal('DEADLINE_EXCEEDED', 'too late'));
    expect(await failure).to.include({ reason: 'DEADLINE_EXCEEDED' });
  });

  it('are over when their time is', async () => {
    const { call, read } = faultsOf([{ ...ABORT, untilMs: 1_000 }]);
    await time.run(999);
    expect(await failureOf(call())).to.include({ reason: 'FAULT_INJECTED' });
    await time.run(1_000);
    await call();
    expect(read()).to.deep.equal({ injected: 1 });
  });

  it('show in the trace', async () => {
    const telemetry = createTelemetry();
    const span = telemetry.tracer('user').startSpan('GetUser');
    const call = callOf(method);
    call.context = trace.setSpan(call.context, span);
    const { link } = faultsOf([ABORT]);
    await failureOf(link(async () => create(method.desc.output))(call));
    span.end();
    const [event] = telemetry.spans()[0]?.events ?? [];
    expect(event).to.deep.include({ name: 'fault', attributes: { 'mesh.fault.delay_ms': 0, 'mesh.fault.abort': 'UNAVAILABLE' } });
  });

  it('do nothing where they are not allowed, whatever is ordered', async () => {
    const { call, read } = faultsOf([ABORT], { allowed: false });
    await call();
    expect(read()).to.deep.equal({ injected: 0 });
  });

  it('leave a call alone where none is ordered: the rest of the chain answers itself', () => {
    const answer = Promise.resolve(create(method.desc.output));
    const { link } = faultsOf([]);
    expect(link(() => answer)(callOf(method))).to.equal(answer);
  });

  describe('by header', () => {
    it('hit the one request that carries it', async () => {
      const { call } = faultsOf([]);
      expect(await failureOf(call('abort=NOT_FOUND'))).to.include({ code: 'NOT_FOUND', reason: 'FAULT_INJECTED' });
      await call();
    });

    it('are refused where they are not allowed, with the setting that allows them', async () => {
      const { call } = faultsOf([], { allowed: false });
      const error = await failureOf(call('abort=NOT_FOUND'));
      expect(error).to.include({ code: 'FAILED_PRECONDITION', reason: 'FAULTS_OFF' });
      expect(error.message).to.include('MESH_FAULTS=true');
    });

    it('are refused when they cannot be read', async () => {
      expect(await failureOf(faultsOf([]).call('explode'))).to.include({ code: 'INVALID_ARGUMENT' });
    });
  });
});
