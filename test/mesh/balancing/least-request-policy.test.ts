import type { ServiceError } from '@grpc/grpc-js';
import { expect } from 'chai';

import { discoveryChannelOptions, type Instance } from '#discovery';
import { type MeshError, silentLog, systemClock, systemRandom } from '#kit';
import { fromStatus } from '#mesh';

import { balancingOptions } from '../../../mesh/client/balancing/balancing-options.ts';
import { createDestination, type Destination } from '../../../mesh/client/balancing/destination.ts';
import { type Backend, type Caller, createCaller, namesOf, startBackend } from '../../discovery/support/backend.ts';
import { fakeControlPlane } from '../../discovery/support/fake-control-plane.ts';
import { instance } from '../../discovery/support/instances.ts';
import { until } from '../../discovery/support/until.ts';
import { type PolicyChange, policyWith } from './support/simulated-calls.ts';

interface Balanced extends Caller {
  readonly destination: Destination;
  failure(deadlineMs?: number, signal?: AbortSignal): Promise<MeshError>;
}

describe('the least-request policy, on the wire', () => {
  const closers: (() => void | Promise<void>)[] = [];
  let plane: ReturnType<typeof fakeControlPlane>;

  beforeEach(() => {
    plane = fakeControlPlane();
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function backend(name: string, port = 0): Promise<Backend & { readonly as: Instance }> {
    const started = await startBackend(name, port);
    closers.push(() => started.stop());
    return { ...started, as: instance(name, { port: started.port }) };
  }

  function balanced(change: PolicyChange = {}): Balanced {
    const options = { policy: { current: policyWith(change) }, clock: systemClock, random: systemRandom, zone: '', log: silentLog };
    const destination = createDestination('inventory', options);
    const caller = createCaller('consul:///inventory', { ...discoveryChannelOptions(plane.controlPlane), ...balancingOptions(destination) });
    closers.push(() => caller.close());
    const failure = (deadlineMs?: number, signal?: AbortSignal): Promise<MeshError> =>
      caller.call(deadlineMs, signal).then(
        (name) => expect.fail(`${name} answered`),
        (thrown: ServiceError) => fromStatus(thrown),
      );
    return { ...caller, destination, failure };
  }

  const connected = ({ destination }: Balanced, count: number) =>
    until(`${count} instances are connected`, () => destination.read().endpoints.filter((endpoint) => endpoint.connected).length === count);

  it('sends nothing to an instance that died', async () => {
    const [a, b, c] = [await backend('a'), await backend('b'), await backend('c')];
    plane.set(a.as, b.as, c.as);
    const client = balanced();
    await Promise.all([client.call(), connected(client, 3)]);
    expect(await namesOf(client, 30)).to.deep.equal(['a', 'b', 'c']);
    await a.stop();
    await connected(client, 2);
    expect(await namesOf(client, 30)).to.deep.equal(['b', 'c']);
  });

  it('sends calls to those that are connected while others cannot be', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    await b.stop();
    plane.set(a.as, b.as);
    const client = balanced();
    for (let calls = 0; calls < 20; calls += 1) expect(await client.call()).to.equal('a');
    const again = await backend('b', b.port);
    await until('b is back', async () => (await namesOf(client)).includes('b'));
    expect(again.calls()).to.be.above(0);
  });

  it('lets calls wait for the first connection', async () => {
    const a = await backend('a');
    const client = balanced();
    const calls = [client.call(), client.call()];
    plane.set(a.as);
    expect(await Promise.all(calls)).to.deep.equal(['a', 'a']);
  });

  it('makes as many connections to each instance as it is told, and uses all of them', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    plane.set(a.as, b.as);
    const client = balanced({ balancing: { connectionsPerInstance: 3 } });
    await until('all are used', async () => (await namesOf(client)).length === 2 && a.connections() === 3 && b.connections() === 3);
    for (let update = 0; update < 50; update += 1) {
      plane.set({ ...a.as, weight: 1 + (update % 5) }, { ...b.as, metadata: { update: `${update}` } });
      await client.call();
    }
    expect([a.connections(), b.connections()], 'updates reconnect').to.deep.equal([3, 3]);
  });

  it('goes to where an instance is now when its address changes', async () => {
    const [old, now] = [await backend('old'), await backend('now')];
    plane.set({ ...old.as, id: 'i' });
    const client = balanced();
    expect(await client.call()).to.equal('old');
    plane.set({ ...now.as, id: 'i' });
    await until('the new address is used', async () => (await client.call()) === 'now');
    expect(await namesOf(client)).to.deep.equal(['now']);
  });

  it('starts newcomers slowly', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    plane.set(a.as);
    const client = balanced();
    await client.call();
    plane.set(a.as, b.as);
    await connected(client, 2);
    expect(client.destination.read().endpoints.map(({ state }) => state)).to.deep.equal(['healthy', 'slow-start']);
  });

  it('counts calls in flight exactly: none is left of 1,000 that were cancelled, expired or answered', async () => {
    const a = await backend('a');
    const b = await backend('b');
    a.setFate('silence');
    plane.set(a.as, b.as);
    const client = balanced();
    await Promise.all([client.call(50).catch(() => 'silence'), connected(client, 2)]);
    const ends = Array.from({ length: 1_000 }, (_, call) => {
      const abort = new AbortController();
      const ended = client.call(call % 3 === 0 ? 1 : 20, abort.signal).catch(() => 'ended');
      // Before it was sent, in the turn after, or when it has its instance.
      if (call % 5 === 0) abort.abort();
      else if (call % 5 === 1) setImmediate(() => abort.abort());
      return ended;
    });
    await Promise.all(ends);
    // One that is cancelled as it is made ends after its caller has heard of it.
    await until('none is in flight', () => client.destination.read().inFlight === 0);
    const { endpoints } = client.destination.read();
    expect(endpoints.map(({ inFlight }) => inFlight)).to.deep.equal([0, 0]);
    expect(endpoints.reduce((sum, { calls }) => sum + calls, 0)).to.be.above(0);
  });

  it('refuses what is more than may be in flight, also when all come at once', async () => {
    const a = await backend('a');
    plane.set(a.as);
    const client = balanced({ circuit: { maxInFlight: 2 } });
    await client.call();
    const ends = await Promise.allSettled(Array.from({ length: 5 }, () => client.call()));
    expect(ends.filter(({ status }) => status === 'fulfilled')).to.have.length(2);
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [fromStatus(end.reason as ServiceError)] : []));
    for (const error of refused) expect(error).to.deep.include({ code: 'UNAVAILABLE', reason: 'TOO_MANY_CALLS', retry: { kind: 'never' } });
  });

  it('fails with NO_INSTANCE at once, not at the deadline', async () => {
    plane.set();
    const client = balanced();
    const startedAt = performance.now();
    const error = await client.failure(60_000);
    expect(performance.now() - startedAt).to.be.below(5_000);
    expect(error).to.include({ code: 'UNAVAILABLE', reason: 'NO_INSTANCE' });
    expect(error.retry).to.include({ kind: 'not-started' });
  });

  it('fails with UNREACHABLE when no connection can be made, and goes on when one can', async () => {
    const a = await backend('a');
    await a.stop();
    plane.set(a.as);
    const client = balanced();
    const error = await client.failure(60_000);
    expect(error).to.include({ code: 'UNAVAILABLE', reason: 'UNREACHABLE' });
    expect(error.message).to.match(/^inventory could not be reached: Error: connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
    await backend('a', a.port);
    await until('it is connected', () => client.call().then(() => true, () => false), 2_000);
  });

  it('fails with CIRCUIT_OPEN while every instance fails, and says for how long', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    for (const one of [a, b]) one.setFate('fail');
    plane.set(a.as, b.as);
    const client = balanced();
    await until('it opens', async () => (await client.failure()).reason === 'CIRCUIT_OPEN');
    const seen = a.calls() + b.calls();
    const error = await client.failure();
    expect(error).to.include({ code: 'UNAVAILABLE', reason: 'CIRCUIT_OPEN' });
    expect(error.retry).to.deep.equal({ kind: 'not-started', afterMs: Number(error.metadata['retryInMs']) });
    expect(a.calls() + b.calls(), 'a call went out').to.equal(seen);
    for (const one of [a, b]) one.setFate('answer');
    await until('it is called again', () => client.call().then(() => true, () => false));
    expect(client.destination.read()).to.include({ open: false, openings: 1, inFlight: 0 });
  });

  it('leaves out a black hole', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    plane.set(a.as, b.as);
    const client = balanced({ ejection: { minCalls: 2, intervalMs: 10 } });
    await until('what is usual is known', async () => {
      await client.call();
      return client.destination.read().endpoints.every(({ latencyMs }) => latencyMs !== undefined);
    });
    a.setFate('silence');
    await until('it is left out', async () => {
      await Promise.all(Array.from({ length: 20 }, () => client.call(200).catch(() => 'expired')));
      return client.destination.read().endpoints[0]?.state === 'ejected';
    });
    expect(await namesOf(client)).to.deep.equal(['b']);
  });

  it('lets go of every connection with the channel, and keeps what it knows', async () => {
    const a = await backend('a');
    plane.set(a.as);
    const client = balanced();
    await client.call();
    client.close();
    expect(client.destination.read().endpoints).to.have.length(1);
    expect(client.destination.read().endpoints[0]).to.include({ connected: false, calls: 1 });
    expect(plane.listening()).to.equal(0);
  });
});
