import { expect } from 'chai';

import { MeshError, refusal } from '#kit';

import type { ServerCall } from '../../../mesh/call.ts';
import type { Criticality } from '../../../mesh/method.ts';
import type { Admission } from '../../../mesh/policy/call-policy.ts';
import { createPlaces } from '../../../mesh/server/admission/places.ts';
import { createWaitingLine, type WaitingLine } from '../../../mesh/server/admission/waiting-line.ts';
import { callOf, methodOf, policyOf } from './support/calls.ts';
import { createVirtualTime, settled, type VirtualTime } from './support/virtual-time.ts';

describe('calls that wait for a place', () => {
  let time: VirtualTime;
  let line: WaitingLine;
  const places = createPlaces();
  /** What became of each call: `in`, or the reason of its refusal; nothing while it waits. */
  let ends: Record<string, string>;

  function open(policy: Partial<Admission> = {}): void {
    time = createVirtualTime();
    ends = {};
    line = createWaitingLine({ policy: policyOf(policy), clock: time.clock, shed: () => refusal('OVERLOADED', 'too many') });
  }
  beforeEach(() => open());

  /** Half of the time that calls have left is 250 ms, unless said otherwise. */
  function wait(name: string, criticality: Criticality = 'default', deadline = time.clock.now() + 500): ServerCall {
    const call = callOf(methodOf(criticality), deadline);
    line.wait(call).then(
      () => (ends[name] = 'in'),
      (thrown: unknown) => (ends[name] = MeshError.from(thrown).reason),
    );
    return call;
  }

  async function letIn(room: readonly Criticality[] = ['critical', 'default', 'sheddable']): Promise<Record<string, string>> {
    line.letIn((criticality) => room.includes(criticality), ({ deadline }) => places.take(deadline));
    await settled();
    return ends;
  }

  it('go in the newest first', async () => {
    for (const name of ['first', 'second', 'third']) wait(name);
    expect(await letIn()).to.deep.equal({ third: 'in' });
    expect(await letIn()).to.deep.equal({ third: 'in', second: 'in' });
    expect(line.length).to.equal(1);
  });

  it('go in by what matters, before the newest', async () => {
    wait('order', 'critical');
    wait('look-up', 'default');
    wait('listing', 'sheddable');
    await letIn();
    await letIn();
    expect(ends).to.deep.equal({ order: 'in', 'look-up': 'in' });
  });

  it('stay where only places for more important ones are free', async () => {
    wait('listing', 'sheddable');
    expect(await letIn(['critical', 'default'])).to.deep.equal({});
    expect(await letIn(['critical', 'default', 'sheddable'])).to.deep.equal({ listing: 'in' });
  });

  it('are refused once they have waited as long as one may', async () => {
    wait('early');
    time.after(60, () => wait('late'));
    await time.run(249);
    expect(ends).to.deep.equal({});
    await time.run(250);
    expect(ends).to.deep.equal({ early: 'OVERLOADED' });
    await time.run(310);
    expect(ends).to.deep.equal({ early: 'OVERLOADED', late: 'OVERLOADED' });
    expect(line.length).to.equal(0);
  });

  it('may wait for half of the time that they have left, 2 s at most, where the line was empty a moment ago', async () => {
    wait('a minute', 'default', 60_000);
    wait('a second', 'default', 1_000);
    wait('a moment', 'default', 300);
    await time.run(249);
    expect(ends).to.deep.equal({});
    await time.run(250);
    expect(ends).to.have.keys('a moment');
    await time.run(499);
    expect(ends).to.have.keys('a moment');
    await time.run(500);
    expect(ends).to.have.keys('a moment', 'a second');
    await time.run(1_999);
    expect(line.length).to.equal(1);
    await time.run(2_000);
    expect(line.length).to.equal(0);
  });

  it('may wait no longer than 250 ms where the line has been there for 500 ms', async () => {
    wait('early', 'default', 60_000);
    time.after(499, () => wait('just in time', 'default', 60_000));
    time.after(500, () => wait('late', 'default', 60_000));
    await time.run(750);
    expect(ends).to.deep.equal({ late: 'OVERLOADED' });
    await time.run(2_499);
    expect(ends).to.have.keys('late', 'early', 'just in time');
    // It was empty.
    wait('new', 'default', 60_000);
    await time.run(2_800);
    expect(ends).not.to.have.property('new');
  });

  it('leave no timer behind', async () => {
    wait('first', 'default', 60_000);
    wait('second', 'default', 60_000);
    expect(time.planned).to.equal(1);
    await letIn();
    await letIn();
    expect(time.planned).to.equal(0);
  });

  it('are not counted as waiting when they are over already', async () => {
    const call = callOf(methodOf());
    call.lifetime.end(refusal('CANCELLED', 'the caller went away'));
    await line.wait(call).catch(() => {});
    expect(line.length).to.equal(0);
    wait('next');
    await time.run(250);
    expect(ends).to.deep.equal({ next: 'OVERLOADED' });
  });

  it('are refused then too when the clock is set back by an hour', async () => {
    wait('only');
    time.setBack(3_600_000);
    await time.run(250);
    expect(ends).to.deep.equal({ only: 'OVERLOADED' });
  });

  it('are refused at once where the line is full, oldest first', async () => {
    open({ maxQueued: 2 });
    for (const name of ['first', 'second', 'third']) wait(name);
    await settled();
    expect(ends).to.deep.equal({ first: 'OVERLOADED' });
  });

  it('make room for one that matters more, and for none that matters less', async () => {
    open({ maxQueued: 2 });
    wait('order', 'critical');
    wait('listing', 'sheddable');
    wait('another order', 'critical');
    wait('another listing', 'sheddable');
    await settled();
    expect(ends).to.deep.equal({ listing: 'OVERLOADED', 'another listing': 'OVERLOADED' });
  });

  it('do not wait at all where no line is allowed', async () => {
    open({ maxQueued: 0 });
    wait('only');
    await settled();
    expect(ends).to.deep.equal({ only: 'OVERLOADED' });
  });

  it('are dropped before any work when their deadline has passed, and the next one goes in', async () => {
    wait('patient');
    wait('hasty', 'default', 50);
    await time.run(50);
    expect(await letIn()).to.deep.equal({ hasty: 'DEADLINE_EXCEEDED', patient: 'in' });
    expect(line.expired).to.equal(1);
  });

  it('leave when their caller does', async () => {
    const call = wait('gone');
    wait('stays');
    call.lifetime.end(refusal('CANCELLED', 'the caller went away'));
    await settled();
    expect(ends).to.deep.equal({ gone: 'CANCELLED' });
    expect(line.length).to.equal(1);
    expect(await letIn()).to.include({ stays: 'in' });
    expect(await letIn()).to.have.keys('gone', 'stays');
  });

  it('are not refused for the lifetime of a call that is at work already', async () => {
    const call = wait('at work');
    await letIn();
    call.lifetime.end(refusal('CANCELLED', 'the caller went away'));
    await time.run(1_000);
    expect(ends).to.deep.equal({ 'at work': 'in' });
  });
});
