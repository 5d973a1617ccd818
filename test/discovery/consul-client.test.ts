import { expect } from 'chai';
import { connectConsul } from '#discovery';
import { MeshError, silentLog, systemClock, systemRandom } from '#kit';

import { parseConsulAddress } from '../../discovery/consul/address.ts';
import { agentCalls } from '../../discovery/consul/agent-calls.ts';
import { createCaller } from '../../discovery/consul/caller.ts';
import { createConsulControlPlane } from '../../discovery/consul/control-plane.ts';
import { healthCalls } from '../../discovery/consul/health-calls.ts';
import { policyCalls } from '../../discovery/consul/policy-calls.ts';
import { fixedToken } from '../../discovery/consul/token.ts';
import { registration } from './support/instances.ts';
import { createMemoryLog } from './support/memory-log.ts';
import { answerJson, type ScriptedConsul, startScriptedConsul } from './support/scripted-consul.ts';
import { until } from './support/until.ts';

const token = 'a-very-secret-token';
const deps = { clock: systemClock, random: systemRandom, log: silentLog };

function open(url: string, requestTimeoutMs = 2_000) {
  const caller = createCaller({ address: parseConsulAddress(url), token: fixedToken(token), requestTimeoutMs });
  return { ...agentCalls(caller), ...healthCalls(caller), ...policyCalls(caller), close: () => caller.close() };
}

async function failureOf(promise: Promise<unknown>): Promise<MeshError> {
  const failure = await promise.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error,
  );
  expect(failure).to.be.instanceOf(MeshError);
  return failure as MeshError;
}

describe('the client of Consul', () => {
  let server: ScriptedConsul;
  afterEach(() => server?.stop());

  it('reads the forms of CONSUL_HTTP_ADDR and refuses others', () => {
    expect(parseConsulAddress('127.0.0.1:8500')).to.deep.equal({ host: '127.0.0.1', port: 8500, secure: false, url: 'http://127.0.0.1:8500' });
    expect(parseConsulAddress('https://[::1]')).to.deep.equal({ host: '::1', port: 443, secure: true, url: 'https://[::1]:443' });
    for (const bad of ['', 'unix:///run/consul', 'http://user:pass@host', 'http://host/path', 'http://a b']) {
      expect(() => parseConsulAddress(bad), bad).to.throw('CONSUL_HTTP_ADDR').with.property('reason', 'INVALID_SETTING');
    }
  });

  it('sends the token in a header with every kind of call, and in no address', async () => {
    server = await startScriptedConsul((request, response) =>
      answerJson(response, 200, request.url?.includes('catalog') ? {} : [], { 'x-consul-index': '1' }),
    );
    const consul = open(server.url);
    const read = { index: 0, waitMs: 1_000, signal: AbortSignal.timeout(5_000) };
    await consul.leader();
    await consul.register(registration('inventory', 'i', 1));
    await consul.isRegistered('i');
    await consul.deregister('i');
    await consul.healthyInstances('inventory', read);
    await consul.meshServices();
    await consul.putPolicy('a', 'b', 0);
    await consul.deletePolicy('a');
    consul.close();
    expect(server.requests).to.have.length(8);
    for (const { headers, url } of server.requests) {
      expect(headers['x-consul-token'], url).to.equal(token);
      expect(url).to.not.contain(token);
    }
  });

  it('lets no token into a log or an error, however Consul fails', async () => {
    const { log, text } = createMemoryLog();
    server = await startScriptedConsul((request, response) => {
      if (request.url?.includes('/health/')) {
        response.writeHead(200, { 'content-length': '100' }).write('[');
        setTimeout(() => response.destroy(), 10);
      } else response.writeHead(request.url?.includes('leader') ? 403 : 500, { 'content-type': 'text/plain' }).end('no');
    });
    const consul = open(server.url);
    const failures = [
      await failureOf(consul.leader()),
      await failureOf(consul.isRegistered('i')),
      await failureOf(consul.instances('inventory')),
    ];
    await server.stop();
    failures.push(await failureOf(consul.leader()));
    consul.close();
    for (const failure of failures) log.error({ err: failure }, 'failed');
    expect(text()).to.contain('CONSUL_HTTP_TOKEN').and.to.contain('in the middle').and.to.match(/ECONNREFUSED|ECONNRESET/);
    expect(text()).to.not.contain(token);
  });

  it('ends a call whose answer breaks off in the middle', async () => {
    server = await startScriptedConsul((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('[{"Node"');
      setTimeout(() => response.destroy(), 10);
    });
    const consul = open(server.url);
    const startedAt = performance.now();
    const read = { index: 5, waitMs: 60_000, signal: AbortSignal.timeout(10_000) };
    const failure = await failureOf(consul.healthyInstances('inventory', read));
    consul.close();
    expect(failure.message).to.contain('in the middle of an answer');
    expect(performance.now() - startedAt).to.be.below(2_000);
  });

  it('gives up on a server that is silent for longer than a blocking query may take', async () => {
    server = await startScriptedConsul(() => undefined);
    const consul = open(server.url, 50);
    const signal = AbortSignal.timeout(10_000);
    const startedAt = performance.now();
    const failure = await failureOf(consul.healthyInstances('inventory', { index: 5, waitMs: 160, signal }));
    expect(performance.now() - startedAt).to.be.within(2_150, 4_000);
    expect(failure).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
    expect((await failureOf(consul.leader())).message).to.contain('timed out');
    consul.close();
  });

  it('asks for a wait, and never for near, which would switch streaming off', async () => {
    server = await startScriptedConsul((_, response) => answerJson(response, 200, [], { 'x-consul-index': '7' }));
    const consul = open(server.url);
    const signal = AbortSignal.timeout(5_000);
    await consul.healthyInstances('inventory', { index: 5, waitMs: 1_500, signal });
    await consul.healthyInstances('inventory', { index: 0, waitMs: 1_500, fresh: true, signal });
    consul.close();
    const [blocking, fresh] = server.requests.map(({ url }) => new URL(url ?? '', server.url).searchParams.toString());
    expect(blocking).to.equal('passing=true&index=5&wait=1500ms');
    expect(fresh).to.equal('passing=true&consistent=1');
  });

  it('takes a list that the token may not see for a refusal and not for an empty one', async () => {
    const hidden = { 'x-consul-index': '7', 'x-consul-results-filtered-by-acls': 'true' };
    server = await startScriptedConsul((_, response) => answerJson(response, 200, [], hidden));
    const consul = open(server.url);
    const read = { index: 0, waitMs: 1_000, signal: AbortSignal.timeout(5_000) };
    const failure = await failureOf(consul.healthyInstances('inventory', read));
    consul.close();
    expect(failure.message).to.contain('CONSUL_HTTP_TOKEN');
  });

  it('reads an answer without an index, an instance without an address, and weights', async () => {
    const Service = { ID: 'i', Service: 'inventory', Address: '', Port: 7, Meta: null, Weights: { Passing: 4 } };
    server = await startScriptedConsul((_, response) =>
      answerJson(response, 200, [{ Node: { Address: '10.0.0.1' }, Service, Checks: [] }]),
    );
    const consul = open(server.url);
    const signal = AbortSignal.timeout(5_000);
    const { index, value } = await consul.healthyInstances('inventory', { index: 0, waitMs: 1_000, signal });
    consul.close();
    expect(index).to.equal(0);
    expect(value[0]).to.include({ address: '10.0.0.1', port: 7, weight: 4, version: '' });
  });

  it('leaves no socket and nothing waiting when it is stopped in the middle of a blocking query', async () => {
    server = await startScriptedConsul((request, response) => {
      if (!request.url?.includes('index=')) answerJson(response, 200, [], { 'x-consul-index': '7' });
    });
    const plane = createConsulControlPlane({ address: server.url, ...deps });
    plane.watchInstances('inventory', { onInstances: () => undefined, onError: () => undefined });
    plane.policies.watch('', { onPolicies: () => undefined, onError: () => undefined });
    await until('both watches wait', () => server.requests.filter(({ url }) => url?.includes('index=')).length === 2);
    await plane.stop();
    await until('no socket is left', () => server.openSockets() === 0);
    expect((await failureOf(plane.listInstances())).message).to.contain('closed');
  });

  it('ends calls under way when it is stopped', async () => {
    server = await startScriptedConsul(() => undefined);
    const plane = createConsulControlPlane({ address: server.url, ...deps });
    const listed = failureOf(plane.listInstances());
    await until('the call is there', () => server.requests.length === 1);
    const startedAt = performance.now();
    await plane.stop();
    expect(await listed).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
    await until('no socket is left', () => server.openSockets() === 0);
    expect(performance.now() - startedAt).to.be.below(1_500);
  });

  it('ends an aborted call with the reason of its signal', async () => {
    server = await startScriptedConsul(() => undefined);
    const plane = createConsulControlPlane({ address: server.url, ...deps });
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const listed = plane.listInstances(controller.signal).catch((error: unknown) => error);
    await until('the call is there', () => server.requests.length === 1);
    controller.abort(reason);
    expect(await listed).to.equal(reason);
    await plane.stop();
  });
});

describe('connecting to Consul', () => {
  it('says what to do when nobody listens at CONSUL_HTTP_ADDR', async () => {
    const server = await startScriptedConsul(() => undefined);
    await server.stop();
    const failure = await failureOf(connectConsul({ address: server.url, ...deps }));
    expect(failure).to.include({ code: 'UNAVAILABLE', reason: 'CONTROL_PLANE_UNAVAILABLE' });
    expect(failure.message).to.contain(server.url).and.to.contain('CONSUL_HTTP_ADDR').and.to.contain('ECONNREFUSED');
    expect(failure.message).to.contain('Start Consul there');
  });

  it('tells a Consul from another server, and from one without a leader', async () => {
    for (const body of ['', 'hello', { ok: true }]) {
      const server = await startScriptedConsul((_, response) => answerJson(response, 200, body));
      const failure = await failureOf(connectConsul({ address: server.url, ...deps }));
      expect(failure.message).to.contain('no Consul with a leader');
      await server.stop();
    }
  });
});
