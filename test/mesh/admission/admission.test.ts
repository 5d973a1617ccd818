import { create, type Message } from '@bufbuild/protobuf';
import { expect } from 'chai';
import fc from 'fast-check';

import { MeshError, refusal } from '#kit';
import { describeMethod } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import type { Invoke, ServerCall } from '../../../mesh/call.ts';
import type { Criticality, Method } from '../../../mesh/method.ts';
import type { Admission as AdmissionPolicy } from '../../../mesh/policy/call-policy.ts';
import { type Admission, createAdmission } from '../../../mesh/server/admission/admission.ts';
import { seededRandom } from '../../kit/support.ts';
import { callOf, methodOf, policyOf } from './support/calls.ts';
import { idleLoop } from './support/simulated-run.ts';
import { createVirtualTime, settled, type VirtualTime } from './support/virtual-time.ts';

/** Handlers that end when the test says so. */
function byHand(): { readonly handler: Invoke<ServerCall>; readonly running: (() => void)[] } {
  const running: (() => void)[] = [];
  const handler: Invoke<ServerCall> = ({ method }) => new Promise((resolve) => void running.push(() => resolve(create(method.desc.output))));
  return { handler, running };
}

describe('admission', () => {
  let time: VirtualTime;
  let admission: Admission;
  const FOUR: Partial<AdmissionPolicy> = { minLimit: 4, initialLimit: 4, maxLimit: 4, maxQueued: 2 };

  function open(policy: Partial<AdmissionPolicy>, turn = idleLoop): void {
    time = createVirtualTime();
    admission = createAdmission({ policy: policyOf(policy), clock: time.clock, random: seededRandom(1), turn });
  }

  /** The serving chain of a method, critical unless said otherwise, whose calls may fill every place. */
  function serving(handler: Invoke<ServerCall>, method: Method = methodOf('critical')): () => Promise<Message | MeshError> {
    const serve = admission.link(method)(handler);
    return () => serve(callOf(method)).then((reply) => reply as Message, (thrown: unknown) => MeshError.from(thrown));
  }

  it('lets as many calls work as the limit says, a few wait, and refuses the others', async () => {
    open(FOUR);
    const { handler, running } = byHand();
    const call = serving(handler);
    const ends = Array.from({ length: 7 }, call);
    await settled();
    expect(running).to.have.length(4);
    expect(admission.read()).to.include({ limit: 4, inFlight: 4, queued: 2, admitted: 4, shed: 1 });
    for (let end = running.shift(); end; end = running.shift()) {
      end();
      await settled();
    }
    expect((await Promise.all(ends)).filter((end) => end instanceof MeshError)).to.have.length(1);
    expect(admission.read()).to.include({ inFlight: 0, queued: 0, admitted: 6 });
  });

  it('refuses so that any call may go out again, to another instance, after a while', async () => {
    open({ ...FOUR, maxQueued: 0 });
    const call = serving(byHand().handler);
    for (let place = 0; place < 4; place += 1) void call();
    const refused = await call();
    expect(refused).to.include({ code: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED' });
    expect(refused).to.have.nested.property('retry.kind', 'not-started');
    expect(refused).to.have.nested.property('retry.afterMs').within(40, 65);
  });

  it('asks for more patience the more it refuses', async () => {
    open({ ...FOUR, maxQueued: 0 });
    const call = serving(byHand().handler);
    for (let place = 0; place < 4; place += 1) void call();
    for (let times = 0; times < 200; times += 1) await call();
    // Nineteen of twenty are refused by then: about a second.
    expect(await call()).to.have.nested.property('retry.afterMs').within(600, 2_400);
  });

  it('keeps the last places for what matters more', async () => {
    open({ minLimit: 10, initialLimit: 10, maxLimit: 10, maxQueued: 0 });
    const { handler, running } = byHand();
    const placesFor = async (criticality: Criticality): Promise<number> => {
      const call = serving(handler, methodOf(criticality));
      for (let times = 0; times < 20; times += 1) void call();
      await settled();
      return running.length;
    };
    expect(await placesFor('sheddable')).to.equal(7);
    expect(await placesFor('default')).to.equal(9);
    expect(await placesFor('critical')).to.equal(10);
    expect(admission.read().shedBy).to.deep.equal({ sheddable: 13, default: 18, critical: 19 });
  });

  it('holds no place for a stream, so that orders may be watched for minutes', async () => {
    open(FOUR);
    const watch = admission.link(describeMethod(OrderService.method.watchOrder))(() => new Promise(() => {}));
    for (let watchers = 0; watchers < 100; watchers += 1) void watch(callOf(methodOf()));
    await settled();
    expect(admission.read()).to.include({ inFlight: 0, shed: 0 });
  });

  it('begins no stream where a call would have to wait', async () => {
    open(FOUR);
    const call = serving(byHand().handler);
    for (let place = 0; place < 4; place += 1) void call();
    const watch = serving(byHand().handler, describeMethod(OrderService.method.watchOrder));
    expect(await watch()).to.include({ reason: 'OVERLOADED' });
  });

  it('refuses what comes late in a long turn of the event loop, first what matters least', async () => {
    let ageMs = 0;
    open({}, { ageMs: () => ageMs });
    const refusedAt = async (age: number): Promise<string[]> => {
      ageMs = age;
      const kinds: Criticality[] = ['critical', 'default', 'sheddable'];
      const ends = await Promise.all(kinds.map((kind) => serving(async ({ method }) => create(method.desc.output), methodOf(kind))()));
      return kinds.filter((_, at) => ends[at] instanceof MeshError);
    };
    expect(await refusedAt(90)).to.deep.equal([]);
    expect(await refusedAt(110)).to.deep.equal(['sheddable']);
    expect(await refusedAt(250)).to.deep.equal(['default', 'sheddable']);
    expect(await refusedAt(450)).to.deep.equal(['critical', 'default', 'sheddable']);
  });

  it('gives the place back when a handler fails', async () => {
    open(FOUR);
    const call = serving(() => Promise.reject(refusal('ORDER_NOT_FOUND', 'there is none')));
    for (let times = 0; times < 10; times += 1) expect(await call()).to.include({ reason: 'ORDER_NOT_FOUND' });
    expect(admission.read()).to.include({ inFlight: 0, admitted: 10, shed: 0 });
  });

  it('gives the place back when a handler throws before it has made a promise', async () => {
    open(FOUR);
    const call = serving(() => {
      throw refusal('ORDER_NOT_FOUND', 'there is none');
    });
    for (let times = 0; times < 10; times += 1) expect(await call()).to.include({ reason: 'ORDER_NOT_FOUND' });
    expect(admission.read()).to.include({ inFlight: 0, admitted: 10, shed: 0 });
  });

  it('takes the place of a handler that never ends away 10 s after its contract, however long its caller waits', async () => {
    open({ ...FOUR, maxQueued: 0 });
    const call = serving(byHand().handler);
    for (let place = 0; place < 4; place += 1) void call();
    await time.run(methodOf().deadlineMs + 10_000);
    await call();
    expect(admission.read()).to.include({ abandoned: 4, inFlight: 0 });
    void call();
    expect(admission.read()).to.include({ inFlight: 1 });
  });

  it('takes every call when it is switched off', async () => {
    open({ ...FOUR, enabled: false });
    const { handler, running } = byHand();
    const call = serving(handler);
    for (let times = 0; times < 50; times += 1) void call();
    await settled();
    expect(running).to.have.length(50);
    expect(admission.read()).to.include({ inFlight: 0, admitted: 0 });
  });

  it('of two services in one process that call each other ends in refusals, not in a deadlock', async () => {
    open({ ...FOUR, maxQueuedMs: 100 });
    const inventory = createAdmission({ policy: policyOf(FOUR), clock: time.clock, random: seededRandom(2), turn: idleLoop });
    const method = methodOf('critical');
    // Each order asks the inventory, which asks the orders again.
    const ask: { orders?: () => Promise<Message | MeshError> } = {};
    const reserve = inventory.link(method)(async () => {
      const answer = await ask.orders?.();
      if (answer instanceof MeshError) throw answer;
      return create(method.desc.output);
    });
    const orders = (ask.orders = serving(() => reserve(callOf(method))));
    const ends = Array.from({ length: 4 }, orders);
    await time.run(3_000);
    for (const end of await Promise.all(ends)) expect(end).to.include({ reason: 'OVERLOADED' });
    expect([admission.read().inFlight, inventory.read().inFlight]).to.deep.equal([0, 0]);
  });

  it('never lets more work than the limit allows, and loses no place', async () => {
    const event = fc.oneof(
      fc.constantFrom<Criticality>('critical', 'default', 'sheddable').map((criticality) => ({ kind: 'call' as const, criticality })),
      fc.nat(20).map((at) => ({ kind: 'end' as const, at })),
      fc.nat(20).map((at) => ({ kind: 'leave' as const, at })),
      fc.integer({ min: 1, max: 60 }).map((ms) => ({ kind: 'pass' as const, ms })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 80 }), async (events) => {
        open(FOUR);
        const { handler, running } = byHand();
        const calls: ServerCall[] = [];
        let now = 0;
        for (const next of events) {
          if (next.kind === 'call') {
            const call = callOf(methodOf(next.criticality));
            calls.push(call);
            admission.link(call.method)(handler)(call).catch(() => {});
          } else if (next.kind === 'end') running.splice(next.at, 1)[0]?.();
          else if (next.kind === 'leave') calls[next.at]?.lifetime.end(refusal('CANCELLED', 'the caller went away'));
          else await time.run((now += next.ms));
          await settled();
          expect(admission.read().inFlight).to.equal(running.length).and.at.most(4);
          expect(admission.read().queued).to.be.at.most(2);
        }
        await time.run(now + 2_300);
        for (const end of running) end();
        await settled();
        expect(admission.read()).to.include({ inFlight: 0, queued: 0 });
      }),
      { numRuns: 60 },
    );
  });
});
