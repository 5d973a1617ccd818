import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { type EmbeddedAgent, startAgent } from '#discovery/agent';
import { silentLog, systemClock, systemRandom } from '#kit';

import { ask } from './support/http.ts';

const entry = (name: string, ...sources: object[]) => JSON.stringify({ Kind: 'service-intentions', Name: name, Sources: sources });

describe('intentions in the embedded agent', () => {
  let dataDir: string;
  let agent: EmbeddedAgent | undefined;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shopmesh-agent-intentions-'));
  });
  afterEach(async () => {
    await agent?.stop();
    await rm(dataDir, { recursive: true });
  });

  async function start(more: { readonly defaultIntention?: 'allow' | 'deny' } = {}): Promise<string> {
    await agent?.stop();
    agent = await startAgent({ dataDir, host: '127.0.0.1', port: 0, log: silentLog, clock: systemClock, random: systemRandom, ...more });
    return agent.url;
  }
  const stateFile = () => join(dataDir, 'agent.json');

  it('outlive a restart, with indexes that do not go back', async () => {
    await ask(await start(), 'PUT', '/v1/config', entry('pay', { Name: 'shop', Permissions: [{ Action: 'deny', HTTP: { PathExact: '/a' } }] }));
    const before = await ask(agent?.url ?? '', 'GET', '/v1/config/service-intentions/pay');
    const after = await ask(await start(), 'GET', '/v1/config/service-intentions/pay');
    expect(after.json<object>()).to.deep.equal(before.json<object>());
    expect(Number(after.headers.get('x-consul-index'))).to.be.at.least(Number(before.headers.get('x-consul-index')));
  });

  it('are none in a state that an older version has written', async () => {
    await ask(await start(), 'PUT', '/v1/kv/a', 'b');
    await agent?.stop();
    const { intentions: _, ...older } = JSON.parse(await readFile(stateFile(), 'utf8')) as Record<string, unknown>;
    await writeFile(stateFile(), JSON.stringify(older));
    const url = await start();
    expect((await ask(url, 'GET', '/v1/connect/intentions')).json<object[]>()).to.deep.equal([]);
    expect((await ask(url, 'GET', '/v1/kv/a?raw')).text).to.equal('b');
  });

  it('leave to the default that it was started with', async () => {
    for (const defaultIntention of ['allow', 'deny'] as const) {
      const url = await start({ defaultIntention });
      expect((await ask(url, 'GET', '/v1/connect/intentions/check?source=a&destination=b')).json<object>()).to.deep.equal({ Allowed: defaultIntention === 'allow' });
    }
  });

  it('are bounded', async () => {
    const url = await start();
    const sources = Array.from({ length: 1_001 }, (_, index) => ({ Name: `s${index}`, Action: 'allow' }));
    expect((await ask(url, 'PUT', '/v1/config', entry('pay', ...sources))).text).to.include('must be a list of at most 1000');
    expect((await ask(url, 'PUT', '/v1/config', entry('pay', ...sources.slice(1)))).json<boolean>()).to.equal(true);
    const long = { Name: 'shop', Permissions: [{ Action: 'allow', HTTP: { PathExact: `/${'a'.repeat(4_096)}` } }] };
    expect((await ask(url, 'PUT', '/v1/config', entry('pay', long))).text).to.include('at most 4096 characters');
    expect((await ask(url, 'PUT', '/v1/config', 'x'.repeat(600_000))).status).to.equal(413);
    expect((await ask(url, 'PUT', '/v1/config', entry('p'.repeat(129), { Name: 'a', Action: 'allow' }))).status).to.equal(400);
  });

  it('answer nonsense with 400 or 500, and what only Consul has with 501', async () => {
    const url = await start();
    const http = (HTTP: unknown) => entry('pay', { Name: 'shop', Permissions: [{ Action: 'allow', HTTP }] });
    const bodies: readonly [status: number, body: string][] = [
      [400, 'null'],
      [400, '[]'],
      [500, entry('', { Name: 'a', Action: 'allow' })],
      [500, '{"Kind":"service-intentions","Name":1}'],
      [500, '{"Kind":"service-intentions","Name":"pay","Sources":{}}'],
      [500, entry('pay', ['a'])],
      [500, http('all')],
      [500, http({ Header: ['a'] })],
      [500, http({ Methods: ['GET', 'get'] })],
      [400, entry('pay', { Name: 'a', Action: 'allow', Namespace: 'other' })],
      [501, entry('pay', { Name: 'a', Action: 'allow', Peer: 'east' })],
      [501, http({ PathExact: '/a', Host: 'b' })],
      [501, '{"Kind":"service-router","Name":"pay"}'],
      [501, '{"Kind":"service-intentions","Name":"pay","JWT":{},"Sources":[]}'],
    ];
    for (const [status, body] of bodies) expect((await ask(url, 'PUT', '/v1/config', body)).status, body).to.equal(status);
    const exact = '/v1/connect/intentions/exact?source=a&destination=';
    for (const body of ['null', '{']) expect((await ask(url, 'PUT', `${exact}b`, body)).status, body).to.equal(400);
    for (const path of [exact, `${exact}other/b`]) expect((await ask(url, 'GET', path)).status, path).to.equal(500);
    const missing: readonly [method: string, path: string][] = [['POST', '/v1/connect/intentions'], ['GET', '/v1/connect/intentions/0b5c'], ['GET', '/v1/config/service-router'], ['DELETE', '/v1/config/service-router/pay']];
    for (const [method, path] of missing) expect((await ask(url, method, path)).status, path).to.equal(501);
    expect((await ask(url, 'DELETE', '/v1/config/service-intentions/pay?cas=x')).status).to.equal(500);
    expect((await ask(url, 'GET', '/v1/connect/intentions')).json<object[]>()).to.deep.equal([]);
  });
});
