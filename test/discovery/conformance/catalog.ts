import { ServerCredentials } from '@grpc/grpc-js';
import { expect } from 'chai';

import { registrationBody } from '../../../discovery/consul/registration-body.ts';
import { createTestAuthority } from '../support/authority.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { ask, type HttpAnswer, indexOf } from '../support/http.ts';
import { registration } from '../support/instances.ts';
import { until } from '../support/until.ts';

interface Entry {
  readonly Node: object;
  readonly Service: { readonly ID: string };
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string; readonly Output: string }[];
}

const textAnswer = /^text\/plain/;

function expectQueryHeaders({ headers }: HttpAnswer): void {
  expect(Number(headers.get('x-consul-index'))).to.be.at.least(1);
  expect(headers.get('x-consul-knownleader')).to.be.oneOf(['true', 'false']);
  expect(headers.get('x-consul-lastcontact')).to.match(/^\d+$/);
}

/** Registration, health and catalog over HTTP. */
export function describeCatalog(address: () => string): void {
  describe('the HTTP API for services', () => {
    let backend: Backend;
    const get = (path: string): Promise<HttpAnswer> => ask(address(), 'GET', path);
    const put = (path: string, body?: unknown): Promise<HttpAnswer> =>
      ask(address(), 'PUT', path, body === undefined ? undefined : JSON.stringify(body));
    const registered = (id: string, more: object = {}) => ({ ...registrationBody(registration('stock', id, backend.port, { weight: 3 })), ...more });

    before(async () => {
      backend = await startBackend('stock');
      expect((await put('/v1/agent/service/register', registered('stock-1'))).status).to.equal(200);
    });
    after(async () => {
      await put('/v1/agent/service/deregister/stock-1');
      await backend.stop();
    });

    it('has a leader and knows itself', async () => {
      expect((await get('/v1/status/leader')).json<string>()).to.match(/^\S+:\d+$/);
      const { Config } = (await get('/v1/agent/self')).json<{ Config: object }>();
      expect(Config).to.include.keys('Datacenter', 'NodeName', 'NodeID', 'Version');
    });

    it('answers a registration with nothing, and knows it then', async () => {
      const again = await put('/v1/agent/service/register', registered('stock-1'));
      expect([again.status, again.text]).to.deep.equal([200, '']);
      const one = (await get('/v1/agent/service/stock-1')).json<object>();
      expect(one).to.deep.include({ ID: 'stock-1', Service: 'stock', Port: backend.port, Address: '127.0.0.1', Tags: ['shopmesh'] });
      expect(one).to.deep.include({ Weights: { Passing: 3, Warning: 1 }, Meta: { protocol: 'grpc', version: '1.2.3', zone: 'a' } });
      const all = (await get('/v1/agent/services')).json<Record<string, object>>();
      expect(all['stock-1']).to.deep.include({ ID: 'stock-1', Service: 'stock', Datacenter: 'dc1' });
    });

    it('answers the health of a service in the documented shape', async () => {
      const answer = await get('/v1/health/service/stock?passing=true');
      expectQueryHeaders(answer);
      expect(answer.headers.get('content-type')).to.match(/^application\/json/);
      const [entry] = answer.json<Entry[]>();
      expect(entry?.Node).to.include.keys('ID', 'Node', 'Address', 'Datacenter');
      expect(entry?.Service).to.include.keys('ID', 'Service', 'Tags', 'Address', 'Meta', 'Port', 'Weights', 'CreateIndex', 'ModifyIndex');
      expect(entry?.Checks.map(({ CheckID }) => CheckID)).to.have.members(['serfHealth', 'service:stock-1']);
      for (const check of entry?.Checks ?? []) expect(check).to.include.keys('Node', 'Name', 'Status', 'Notes', 'Output', 'ServiceID');
    });

    it('answers the catalog', async () => {
      const services = await get('/v1/catalog/services');
      expectQueryHeaders(services);
      expect(services.json<Record<string, string[]>>()['stock']).to.deep.equal(['shopmesh']);
      const nodes = await get('/v1/catalog/service/stock');
      expectQueryHeaders(nodes);
      const [node] = nodes.json<object[]>();
      expect(node).to.include({ ServiceID: 'stock-1', ServiceName: 'stock', ServiceAddress: '127.0.0.1', ServicePort: backend.port });
      expect(node).to.include.keys('Node', 'Address', 'ServiceTags', 'ServiceMeta', 'ServiceWeights', 'ModifyIndex');
    });

    it('answers an empty list for a service that nobody has', async () => {
      for (const path of ['/v1/health/service/nobody?passing=true', '/v1/catalog/service/nobody']) {
        const answer = await get(path);
        expectQueryHeaders(answer);
        expect(answer.json<unknown[]>()).to.deep.equal([]);
      }
    });

    it('lets a reader wait for a change, and answers the same index when none comes', async () => {
      const seen = indexOf(await get('/v1/health/service/stock'));
      const startedAt = performance.now();
      const same = await get(`/v1/health/service/stock?index=${seen}&wait=200ms`);
      expect(performance.now() - startedAt).to.be.within(180, 2_000);
      expect(indexOf(same)).to.equal(seen);

      const waiting = get(`/v1/health/service/stock?index=${seen}&wait=20s`);
      await put('/v1/agent/service/register', registered('stock-2'));
      const changed = await waiting;
      expect(indexOf(changed)).to.be.above(seen);
      expect(changed.json<Entry[]>()).to.have.length(2);

      const leaving = get(`/v1/health/service/stock?index=${indexOf(changed)}&wait=20s`);
      await put('/v1/agent/service/deregister/stock-2');
      const left = await leaving;
      expect(indexOf(left)).to.be.above(indexOf(changed));
      expect(left.json<Entry[]>()).to.have.length(1);
    });

    it('lets a reader wait for the first instance of a service, and for the last to leave', async () => {
      const seen = indexOf(await get('/v1/health/service/newcomer?passing=true'));
      const waiting = get(`/v1/health/service/newcomer?passing=true&index=${seen}&wait=20s`);
      await put('/v1/agent/service/register', registered('newcomer-1', { Name: 'newcomer' }));
      const come = await waiting;
      expect(come.json<Entry[]>().map(({ Service }) => Service.ID)).to.deep.equal(['newcomer-1']);

      const leaving = get(`/v1/health/service/newcomer?passing=true&index=${indexOf(come)}&wait=20s`);
      await put('/v1/agent/service/deregister/newcomer-1');
      const gone = await leaving;
      expect(gone.json<Entry[]>()).to.deep.equal([]);
      expect(indexOf(gone)).to.be.above(indexOf(come));
    });

    it('asks the instance for its health, and leaves out who fails', async () => {
      const failing = { Check: { GRPC: '127.0.0.1:1/nothing', Interval: '1s', Timeout: '1s', Status: 'passing' } };
      await put('/v1/agent/service/register', registered('stock-3', failing));
      const passing = async () => (await get('/v1/health/service/stock?passing=true')).json<Entry[]>().map(({ Service }) => Service.ID);
      await until('the failing one is out', async () => (await passing()).join() === 'stock-1');
      expect((await get('/v1/health/service/stock')).json<Entry[]>()).to.have.length(2);
      const checks = (await get('/v1/agent/checks')).json<Record<string, { Status: string; Output: string; ServiceName: string }>>();
      expect(checks['service:stock-3']).to.include({ Status: 'critical', ServiceName: 'stock' });
      expect(checks['service:stock-3']?.Output).to.match(/connection|connect/i);
      await until('the good one was asked', () => backend.healthAsked() === 'shop.stock');
      await put('/v1/agent/service/deregister/stock-3');
    });

    it('asks over TLS where the registration says so, and of nobody else', async () => {
      const { chainPem, keyPem } = await (await createTestAuthority()).leaf('stock');
      const pair = { cert_chain: Buffer.from(chainPem), private_key: Buffer.from(keyPem) };
      const secure = await startBackend('stock', 0, ServerCredentials.createSsl(null, [pair]));
      const soon = { Interval: '1s', Timeout: '1s', Status: 'critical' };
      const checked = (tls: boolean) => registrationBody(registration('sealed', `sealed-${tls}`, secure.port, { tls }))['Check'] as object;
      for (const tls of [true, false]) await put('/v1/agent/service/register', registered(`sealed-${tls}`, { Name: 'sealed', Check: { ...checked(tls), ...soon } }));
      const passing = async () => (await get('/v1/health/service/sealed?passing=true')).json<Entry[]>().map(({ Service }) => Service.ID);
      await until('one passes', async () => (await passing()).join() === 'sealed-true');
      expect(secure.healthAsked()).to.equal('shop.sealed');
      const checks = (await get('/v1/agent/checks')).json<Record<string, { Status: string }>>();
      expect(checks['service:sealed-false']).to.include({ Status: 'critical' });
      for (const tls of [true, false]) await put(`/v1/agent/service/deregister/sealed-${tls}`);
      await secure.stop();
    });

    it('refuses with the codes that Consul has', async () => {
      const refusals: [HttpAnswer, number, RegExp][] = [
        [await get('/v1/agent/service/nobody'), 404, /unknown service ID: nobody/],
        [await put('/v1/agent/service/deregister/nobody'), 404, /Unknown service ID "nobody"/],
        [await put('/v1/agent/service/register', {}), 400, /Missing service name/],
        [await ask(address(), 'PUT', '/v1/agent/service/register', '{'), 400, /Request decode failed/],
        [await get('/v1/health/service/stock?index=1&wait=soon'), 400, /Invalid wait time/],
        [await get('/v1/health/service/stock?index=first'), 400, /Invalid index/],
      ];
      for (const [{ status, headers, text }, code, words] of refusals) {
        expect(text).to.match(words);
        expect(status, text).to.equal(code);
        expect(headers.get('content-type')).to.match(textAnswer);
      }
    });
  });
}
