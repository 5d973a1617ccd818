import { expect } from 'chai';

import { MeshError } from '#kit';

import { documentKey } from '../../../mesh/policy/document-key.ts';
import { createLivePolicies, type LivePolicies } from '../../../mesh/policy/live-policies.ts';
import { createManualClock, type ManualClock } from '../../discovery/support/manual-clock.ts';
import { captureLog } from '../../tracing/captured-log.ts';
import { createFakeStore } from './fake-store.ts';

const MINUTE_MS = 60_000;
const policy = (target: string): string => documentKey('policy', target);
const fault = (target: string): string => documentKey('fault', target);

function start({ settings = '', faultsAllowed = true } = {}) {
  const clock = createManualClock();
  const store = createFakeStore();
  const { log, lines } = captureLog();
  const live = createLivePolicies({ store, settings, faultsAllowed, clock, log });
  return { clock, store, lines, live };
}

const attempts = (maxAttempts: number, more = {}) => ({ owner: 'ada', retries: { maxAttempts }, ...more });
const at = (clock: ManualClock, ms: number): string => new Date(clock.now() + ms).toISOString();
const delay = (clock: ManualClock, forMs: number, more = {}) => ({ owner: 'ada', percent: 100, delayMs: 50, createTime: at(clock, 0), expireTime: at(clock, forMs), ...more });

describe('live policies', () => {
  let live: LivePolicies | undefined;
  afterEach(async () => {
    await live?.stop();
    live = undefined;
  });
  const begin = (options = {}) => {
    const started = start(options);
    live = started.live;
    return started;
  };

  it('are settings and defaults until the control plane has spoken', () => {
    const { live: policies } = begin({ settings: '{"order": {"retries": {"maxAttempts": 4}}}' });
    expect(policies.method('order', 'PlaceOrder').current.retries).to.include({ maxAttempts: 4, baseMs: 25 });
    expect(policies.destination('order').current.budget).to.include({ percent: 20, perSecond: 10 });
    expect(policies.server('order').current.admission).to.include({ maxQueued: 256 });
  });

  it('change where they are read, without being asked for again', () => {
    const { live: policies, store } = begin();
    const [method, other] = [policies.method('order', 'PlaceOrder'), policies.method('order', 'GetOrder')];
    const [destination, server] = [policies.destination('order'), policies.server('order')];
    store.say({ [policy('order.PlaceOrder')]: attempts(7), [policy('order')]: { owner: 'ada', circuit: { maxInFlight: 5 }, admission: { maxQueued: 0 } } });
    expect([method.current.retries.maxAttempts, other.current.retries.maxAttempts]).to.deep.equal([7, 3]);
    expect(destination.current.circuit.maxInFlight).to.equal(5);
    expect(server.current.admission.maxQueued).to.equal(0);
    store.say({});
    expect([method.current.retries.maxAttempts, destination.current.circuit.maxInFlight, server.current.admission.maxQueued]).to.deep.equal([3, 10_000, 256]);
  });

  it('are one object for each target, with the same value until that changes', () => {
    const { live: policies, store } = begin();
    const method = policies.method('order', 'PlaceOrder');
    const before = method.current;
    store.say({ [policy('user')]: attempts(7) });
    expect(policies.method('order', 'PlaceOrder')).to.equal(method);
    expect(method.current).to.equal(before);
    expect(policies.method('user', 'GetUser').current.retries.maxAttempts).to.equal(7);
  });

  it('count no more once they have expired, and the next strongest does', async () => {
    const { live: policies, store, clock } = begin();
    const method = policies.method('order', 'PlaceOrder');
    store.say({ [policy('order.PlaceOrder')]: attempts(7, { expireTime: at(clock, 3 * MINUTE_MS) }), [policy('*')]: attempts(5, { expireTime: at(clock, 4 * MINUTE_MS) }) });
    await clock.advance(3 * MINUTE_MS - 1);
    expect(method.current.retries.maxAttempts).to.equal(7);
    await clock.advance(1);
    expect(method.current.retries.maxAttempts).to.equal(5);
    await clock.advance(MINUTE_MS);
    expect(method.current.retries.maxAttempts).to.equal(3);
    expect(clock.sleeping(), 'nothing is left to wait for').to.deep.equal([]);
  });

  it('wait no longer than a minute at once, for clocks are set', () => {
    const { store, clock } = begin();
    store.say({ [policy('*')]: attempts(5, { expireTime: at(clock, 60 * MINUTE_MS) }) });
    expect(clock.sleeping()).to.deep.equal([MINUTE_MS]);
    store.say({ [policy('*')]: attempts(5, { expireTime: at(clock, 1_000) }) });
    expect(clock.sleeping()).to.deep.equal([1_000]);
  });

  it('hold while the control plane is away', () => {
    const { live: policies, store } = begin();
    store.say({ [policy('*')]: attempts(5) });
    store.fail();
    expect(policies.method('order', 'PlaceOrder').current.retries.maxAttempts).to.equal(5);
  });

  it('are ready once the control plane has spoken, or cannot', async () => {
    for (const speak of ['say', 'fail'] as const) {
      const { live: policies, store } = begin();
      let isReady = false;
      const ready = policies.ready.then(() => (isReady = true));
      await Promise.resolve();
      expect(isReady).to.equal(false);
      if (speak === 'say') store.say({});
      else store.fail();
      await ready;
      await policies.stop();
    }
  });

  it('keep the last good document of a key, and say once what is wrong with the one after it', () => {
    const { live: policies, store, lines } = begin();
    const method = policies.method('order', 'PlaceOrder');
    const slip = { [policy('order')]: attempts(99), [policy('user')]: attempts(4), [policy('*')]: '{' };
    store.say({ [policy('order')]: attempts(7) });
    store.say(slip);
    store.say({ ...slip, [policy('product')]: attempts(4) });
    expect(method.current.retries.maxAttempts).to.equal(7);
    expect(policies.method('user', 'GetUser').current.retries.maxAttempts).to.equal(4);
    expect(lines.map(({ level, key }) => [level, key])).to.deep.equal([['warn', policy('order')], ['warn', policy('*')]]);
    expect(lines[0]).to.include({ msg: 'a policy document cannot be used; the one before it goes on counting' });
    expect(lines[0]?.['why']).to.include('retries.maxAttempts: must be');
    expect(lines[1]).to.include({ msg: 'a policy document cannot be used; it does not count' });
    store.say({});
    expect(method.current.retries.maxAttempts, 'deleted is deleted').to.equal(3);
  });

  it('have nothing to do with keys of others', () => {
    const { live: policies, store, lines } = begin();
    store.say({ 'mesh/other/x': 'no JSON', 'flags/a': 'on' });
    expect(policies.method('order', 'PlaceOrder').current.retries.maxAttempts).to.equal(3);
    expect(lines).to.deep.equal([]);
  });

  it('are refused with a bad setting, before anything is watched', () => {
    const store = createFakeStore();
    const { log } = captureLog();
    const create = () => createLivePolicies({ store, settings: '{"order": {"retry": {}}}', faultsAllowed: false, clock: createManualClock(), log });
    expect(create).to.throw(MeshError, 'MESH_POLICY: order: there is no field retry').with.property('reason', 'INVALID_SETTING');
    expect(store.watchers()).to.deep.equal([]);
  });

  it('leave no watch and no timer behind', async () => {
    const { live: policies, store, clock } = begin();
    store.say({ [policy('*')]: attempts(5, { expireTime: at(clock, MINUTE_MS) }) });
    expect(store.watchers()).to.deep.equal(['mesh/']);
    await policies.stop();
    expect([store.watchers(), clock.sleeping()]).to.deep.equal([[], []]);
  });
});

describe('live faults', () => {
  let live: LivePolicies;
  afterEach(() => live.stop());

  it('are those of the method and of its service, while they last', async () => {
    const { store, clock, ...started } = start();
    live = started.live;
    const [charge, refund] = [live.of('payment', 'Charge'), live.of('payment', 'Refund')];
    store.say({ [fault('payment.Charge')]: delay(clock, MINUTE_MS), [fault('payment')]: delay(clock, 2 * MINUTE_MS, { abort: 'UNAVAILABLE', percent: 10 }) });
    expect(charge.current.map(({ percent, abort }) => [percent, abort])).to.deep.equal([[100, undefined], [10, 'UNAVAILABLE']]);
    expect(refund.current.map(({ percent }) => percent)).to.deep.equal([10]);
    expect(live.faultsOf('payment')).to.have.length(2);
    await clock.advance(MINUTE_MS);
    expect([charge.current.length, refund.current.length]).to.deep.equal([1, 1]);
    await clock.advance(MINUTE_MS);
    expect([charge.current.length, refund.current.length, live.faultsOf('payment').length]).to.deep.equal([0, 0, 0]);
  });

  it('are none where the setting does not allow them', () => {
    const { store, clock, ...started } = start({ faultsAllowed: false });
    live = started.live;
    store.say({ [fault('payment.Charge')]: delay(clock, MINUTE_MS) });
    expect(live.of('payment', 'Charge').current).to.deep.equal([]);
    expect(live.faultsOf('payment')).to.deep.equal([]);
  });

  it('do not begin in the future: that is said once', () => {
    const { store, clock, lines, ...started } = start();
    live = started.live;
    const charge = live.of('payment', 'Charge');
    const nextYear = { createTime: at(clock, 365 * 24 * 60 * MINUTE_MS), expireTime: at(clock, (365 * 24 + 1) * 60 * MINUTE_MS) };
    const said = { [fault('payment.Charge')]: delay(clock, MINUTE_MS, nextYear) };
    store.say(said);
    store.say({ ...said, [policy('user')]: attempts(7) });
    expect([charge.current.length, live.faultsOf('payment').length]).to.deep.equal([0, 0]);
    expect(lines.map(({ level, key }) => [level, key])).to.deep.equal([['warn', fault('payment.Charge')]]);
  });

  it('are over when they are cleared', () => {
    const { store, clock, ...started } = start();
    live = started.live;
    store.say({ [fault('payment')]: delay(clock, MINUTE_MS) });
    expect(live.of('payment', 'Charge').current).to.have.length(1);
    store.say({});
    expect(live.of('payment', 'Charge').current).to.deep.equal([]);
  });
});
