import { experimental, type ServiceError } from '@grpc/grpc-js';
import { expect } from 'chai';
import { BALANCING_POLICY_OPTION, discoveryChannelOptions, type Instance } from '#discovery';
import { fromStatus } from '#mesh';

import { ConsulResolver } from '../../discovery/resolver.ts';
import { type Backend, balanced, type Caller, createCaller, namesOf, startBackend } from './support/backend.ts';
import { fakeControlPlane } from './support/fake-control-plane.ts';
import { instance } from './support/instances.ts';
import { until } from './support/until.ts';

describe('the resolver of consul:///…', () => {
  const closers: (() => void | Promise<void>)[] = [];
  let plane: ReturnType<typeof fakeControlPlane>;

  beforeEach(() => {
    plane = fakeControlPlane();
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function backend(name: string): Promise<Backend & { as: Instance }> {
    const started = await startBackend(name);
    closers.push(() => started.stop());
    return { ...started, as: instance(name, { port: started.port }) };
  }

  function caller(target = 'consul:///inventory', more: Record<string, unknown> = {}): Caller {
    const opened = createCaller(target, { ...discoveryChannelOptions(plane.controlPlane), ...more });
    closers.push(() => opened.close());
    return opened;
  }

  async function failureOf(client: Caller) {
    const startedAt = performance.now();
    const error = await client.call().then(
      (name) => expect.fail(`${name} answered`),
      (thrown: ServiceError) => fromStatus(thrown),
    );
    return { code: error.code, reason: error.reason, message: error.message, tookMs: performance.now() - startedAt };
  }

  it('spreads calls over the instances and follows every change', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    plane.set(a.as);
    const client = caller();
    expect(await namesOf(client)).to.deep.equal(['a']);
    plane.set(a.as, b.as);
    await until('b takes calls', async () => (await namesOf(client)).length === 2);
    plane.set(b.as);
    await until('a takes none', async () => (await namesOf(client)).join() === 'b');
  });

  it('gives each instance its share by weight', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    plane.set(a.as, { ...b.as, weight: 3 });
    const client = caller();
    await until('both take calls', async () => (await namesOf(client)).length === 2);
    const [fromA, fromB] = [a.calls(), b.calls()];
    for (let calls = 0; calls < 200; calls += 1) await client.call();
    // 50 and 150 are its due; 20 more or less happens once in a thousand runs.
    expect(a.calls() - fromA).to.be.within(30, 70);
    expect(b.calls() - fromB).to.be.within(130, 170);
  });

  it('keeps the connections over any number of updates', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    plane.set(a.as, b.as);
    const client = caller();
    await until('both take calls', async () => (await namesOf(client)).length === 2);
    for (let update = 0; update < 100; update += 1) {
      if (update % 2) plane.set(a.as, b.as);
      else plane.set({ ...a.as, metadata: { update: `${update}` } }, { ...b.as, weight: 1 + (update % 3) });
      await client.call();
    }
    expect([a.connections(), b.connections()]).to.deep.equal([1, 1]);
  });

  it('fails calls at once with NO_INSTANCE when there is none, and goes on when one comes', async () => {
    const a = await backend('a');
    plane.set();
    const client = caller();
    for (const round of ['never one', 'all gone']) {
      const { code, reason, message, tookMs } = await failureOf(client);
      expect({ code, reason }, round).to.deep.equal({ code: 'UNAVAILABLE', reason: 'NO_INSTANCE' });
      expect(message).to.contain('mesh serve inventory');
      expect(tookMs).to.be.below(1_000);
      plane.set(a.as);
      await until('a takes calls', () => client.call().then((name) => name === 'a', () => false));
      plane.set();
      await until('a takes none', () => client.call().then(() => false, () => true));
    }
    expect(a.calls()).to.be.above(1);
  });

  it('goes on with the last list when the control plane fails', async () => {
    const a = await backend('a');
    plane.set(a.as);
    const client = caller();
    await client.call();
    plane.fail();
    for (let calls = 0; calls < 5; calls += 1) expect(await client.call()).to.equal('a');
  });

  it('fails calls at once when the control plane fails before there was a list', async () => {
    const client = caller();
    const failure = failureOf(client);
    await until('it is asked', () => plane.listening() === 1);
    plane.fail();
    const { code, reason, message, tookMs } = await failure;
    expect({ code, reason }).to.deep.equal({ code: 'UNAVAILABLE', reason: 'CONTROL_PLANE_UNAVAILABLE' });
    expect(message).to.contain('Consul is gone');
    expect(tookMs).to.be.below(1_000);
  });

  it('never calls back from inside a call of grpc-js, nor after destroy', async () => {
    const told: boolean[] = [];
    const listener = (endpoints: { ok: boolean }): boolean => told.push(endpoints.ok) > 0;
    const options = { ...discoveryChannelOptions(plane.controlPlane), ...balanced('inventory') };
    plane.set(instance('a'));
    const resolver = new ConsulResolver({ scheme: 'consul', path: 'inventory' }, listener, options);
    resolver.updateResolution();
    expect(told).to.deep.equal([]);
    await until('it has told', () => told.length === 1);
    resolver.destroy();
    resolver.updateResolution();
    resolver.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).to.have.length(1);
  });

  it('does not answer again because it is asked again', async () => {
    let told = 0;
    const options = { ...discoveryChannelOptions(plane.controlPlane), ...balanced('inventory') };
    plane.set(instance('a'));
    const resolver: ConsulResolver = new ConsulResolver(
      { scheme: 'consul', path: 'inventory' },
      () => {
        told += 1;
        // What a policy does when a connection of the list fails at once.
        resolver.updateResolution();
        return true;
      },
      options,
    );
    for (let asked = 0; asked < 1_000; asked += 1) resolver.updateResolution();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told).to.equal(1);
    expect(plane.watches()).to.equal(1);
    resolver.destroy();
  });

  it('stays calm with an instance that refuses connections, and takes it when it is back', async () => {
    const a = await backend('a');
    await a.stop();
    plane.set(a.as);
    const client = caller('consul:///inventory', { 'grpc.max_reconnect_backoff_ms': 100 });
    const { reason, message } = await failureOf(client);
    expect(reason).to.equal('UNREACHABLE');
    expect(message).to.match(/^inventory could not be reached: .*ECONNREFUSED/);
    expect(plane.watches()).to.equal(1);
    const again = await startBackend('a', a.port);
    closers.push(() => again.stop());
    await until('it takes calls', () => client.call().then(() => true, () => false));
  });

  it('is rebuilt after the channel was idle', async () => {
    const a = await backend('a');
    plane.set(a.as);
    const client = caller('consul:///inventory', { 'grpc.client_idle_timeout_ms': 1_000 });
    await client.call();
    await until('the channel is idle', () => plane.listening() === 0);
    expect(await client.call()).to.equal('a');
    expect(plane.watches()).to.equal(2);
  });

  it('sends the name of the service as authority, also with a query in the target', async () => {
    const a = await backend('a');
    plane.set(a.as);
    expect(await caller('consul:///inventory?version=2').call()).to.equal('a');
    expect(a.authorities()).to.deep.equal(['inventory']);
  });

  it('is not hijacked by a proxy in the environment', async () => {
    const a = await backend('a');
    plane.set(a.as);
    const before = process.env['http_proxy'];
    process.env['http_proxy'] = 'http://127.0.0.1:9';
    try {
      expect(await caller().call()).to.equal('a');
    } finally {
      if (before === undefined) delete process.env['http_proxy'];
      else process.env['http_proxy'] = before;
    }
  });

  it('asks the control plane of its channel: two do not meet', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    const first = caller();
    plane.set(a.as);
    plane = fakeControlPlane();
    plane.set(b.as);
    const second = caller();
    expect(await namesOf(first)).to.deep.equal(['a']);
    expect(await namesOf(second)).to.deep.equal(['b']);
  });

  it('takes host names for addresses', async () => {
    const a = await backend('a');
    plane.set({ ...a.as, address: 'localhost' });
    expect(await caller().call()).to.equal('a');
  });

  it('refuses a target or a channel that it cannot serve', () => {
    const { controlPlane } = plane;
    expect(() => createCaller('consul:///Inventory!', discoveryChannelOptions(controlPlane))).to.throw('not a service');
    expect(() => createCaller('consul:///inventory', {})).to.throw('discoveryChannelOptions');
    expect(() => createCaller('consul:///inventory', { ...discoveryChannelOptions(controlPlane), [BALANCING_POLICY_OPTION]: 'misspelt' })).to.throw('balancingOptions');
  });

  it('keeps the control plane out of the arguments of subchannels and of traces', () => {
    const options = discoveryChannelOptions(plane.controlPlane);
    const carriers = Object.keys(options).filter((name) => typeof options[name] === 'object');
    expect(carriers).to.have.length(1);
    expect(carriers[0]?.startsWith(experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX)).to.equal(true);
  });
});
