import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { connectConsul, type ConsulControlPlane } from '#discovery';
import { type EmbeddedAgent, startAgent } from '#discovery/agent';
import { systemRandom } from '#kit';

import { describeCertificates } from './conformance/certificates.ts';
import { startEmbedded } from './support/consul-server.ts';
import { ask } from './support/http.ts';
import { createJumpClock, type JumpClock } from './support/jump-clock.ts';
import { createMemoryLog, type MemoryLog } from './support/memory-log.ts';
import { until } from './support/until.ts';

const HOUR_MS = 3_600_000;
const LEAF = '/v1/agent/connect/ca/leaf/order';

describeCertificates('the embedded agent', { certificates: {}, namesHosts: true }, startEmbedded);

describe('the certificate authority of the embedded agent', function () {
  this.timeout(20_000);
  let dataDir: string;
  let clock: JumpClock;
  let memory: MemoryLog;
  let agent: EmbeddedAgent;
  let plane: ConsulControlPlane | undefined;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shopmesh-ca-test-'));
    clock = createJumpClock();
    memory = createMemoryLog();
    agent = await start(0);
  });
  afterEach(async () => {
    await plane?.stop();
    plane = undefined;
    await agent.stop();
    await rm(dataDir, { recursive: true });
  });

  const start = (port: number): Promise<EmbeddedAgent> => startAgent({ dataDir, host: '127.0.0.1', port, log: memory.log, clock, random: systemRandom });
  async function identity() {
    plane = await connectConsul({ address: agent.url, clock, random: systemRandom, log: memory.log });
    const { certificates } = plane;
    return { certificates, order: await certificates.identity('order') };
  }

  it('renews a leaf from 60 to 90 % of its lifetime, and tells who waits', async () => {
    const { certificates, order } = await identity();
    const first = order.leaf();
    clock.jump(42 * HOUR_MS);
    const { text } = await ask(agent.url, 'GET', LEAF);
    expect(JSON.parse(text), 'renewed too early').to.have.property('CertPEM', first.chainPem);
    clock.jump(23 * HOUR_MS);
    await until('it is renewed', () => order.leaf().chainPem !== first.chainPem);
    expect(order.leaf().notAfterMs - first.notAfterMs).to.be.within(60 * HOUR_MS, 66 * HOUR_MS);
    expect(certificates.counts()).to.include({ renewals: 1, expired: 0 });
  });

  it('goes on with its last leaf while it is gone, warns before the end, and counts it', async () => {
    const { certificates, order } = await identity();
    const held = order.leaf();
    await agent.stop();
    await until('it is noticed', () => certificates.counts().failures > 0);
    clock.jump(70 * HOUR_MS);
    await until('it is warned', () => memory.lines('near its end').length === 1);
    expect(certificates.counts().expired).to.equal(0);
    clock.jump(3 * HOUR_MS);
    await until('it is said', () => memory.lines('has expired').length === 1);
    expect(certificates.counts().expired).to.equal(1);
    expect(order.leaf()).to.equal(held);
    agent = await start(agent.port);
    clock.jump(6_000);
    await until('there is a new one', () => order.leaf() !== held, 10_000);
    expect(order.leaf().notAfterMs).to.be.above(clock.now());
    expect(memory.text()).to.not.contain('PRIVATE KEY');
  });

  it('has its root again after a restart, in a file that only its owner may read', async () => {
    const { order } = await identity();
    const { roots, trustDomain } = order.trust();
    const file = join(dataDir, 'connect-ca.json');
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    await agent.stop();
    agent = await start(agent.port);
    const { text } = await ask(agent.url, 'GET', '/v1/agent/connect/ca/roots');
    const answer = JSON.parse(text) as { TrustDomain: string; Roots: { RootCert: string }[] };
    expect(answer.TrustDomain).to.equal(trustDomain);
    expect(answer.Roots.map(({ RootCert }) => RootCert)).to.deep.equal(roots);
    expect(text).to.not.contain('PRIVATE');
    await agent.stop();
    await writeFile(file, '{"format":1');
    agent = await start(agent.port);
    expect(JSON.parse((await ask(agent.url, 'GET', '/v1/agent/connect/ca/roots')).text)).to.not.have.property('TrustDomain', trustDomain);
    expect(memory.lines('cannot be read; a new one begins')).to.have.length(1);
  });

  it('makes nothing before it is asked', async () => {
    expect(await readFile(join(dataDir, 'connect-ca.json')).catch((error: { code: string }) => error.code)).to.equal('ENOENT');
  });

  it('forgets a root that was rotated out when its last leaf has long expired', async () => {
    const roots = async (): Promise<number> => (JSON.parse((await ask(agent.url, 'GET', '/v1/connect/ca/roots')).text) as { Roots: unknown[] }).Roots.length;
    expect(await roots()).to.equal(1);
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    const configuration = JSON.stringify({ Provider: 'consul', Config: { PrivateKey: key } });
    for (const _ of ['new', 'the same']) expect((await ask(agent.url, 'PUT', '/v1/connect/ca/configuration', configuration)).status).to.equal(200);
    expect(await roots()).to.equal(2);
    expect(await readFile(join(dataDir, 'connect-ca.json'), 'utf8')).to.match(/PRIVATE KEY/);
    expect((await readFile(join(dataDir, 'connect-ca.json'), 'utf8')).match(/BEGIN EC PRIVATE KEY/g), 'keys of retired roots').to.have.length(1);
    clock.jump(143 * HOUR_MS);
    expect(await roots()).to.equal(2);
    clock.jump(HOUR_MS - 60_000);
    const index = (await ask(agent.url, 'GET', '/v1/connect/ca/roots')).headers.get('x-consul-index');
    const waiting = ask(agent.url, 'GET', `/v1/agent/connect/ca/roots?index=${index}&wait=10m`);
    await ask(agent.url, 'GET', '/v1/status/leader');
    // Its wait of ten minutes is not over by then.
    clock.jump(120_000);
    expect(await roots()).to.equal(1);
    expect(JSON.parse((await waiting).text), 'what somebody is told who waits').to.have.property('Roots').with.length(1);
  });

  it('gives a person a leaf for as long as is asked, and no longer than others', async () => {
    const lasts = async (ttl: string): Promise<number> => {
      const { ValidBefore } = JSON.parse((await ask(agent.url, 'GET', `${LEAF}?ttl=${ttl}`)).text) as { ValidBefore: string };
      return Math.round((Date.parse(ValidBefore) - clock.now()) / 60_000);
    };
    expect(await lasts('1h')).to.be.within(58, 60);
    expect(await lasts('1000h')).to.be.within(72 * 60 - 2, 72 * 60);
    expect((await ask(agent.url, 'GET', `${LEAF}?ttl=1s`)).status).to.equal(400);
  });

  it('does nothing for a page in a browser that calls this machine by a name of its own', async () => {
    const statusFor = (host: string, method = 'GET', path = LEAF, body = ''): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port: agent.port, method, path, headers: { host, connection: 'close' } };
        request(options, (answer) => resolve(answer.resume().statusCode)).on('error', reject).end(body);
      });
    expect(await Promise.all(['127.0.0.1:8500', 'localhost', '[::1]:8500', 'evil.example:8500', 'localhost.evil.example'].map((host) => statusFor(host)))).to.deep.equal([200, 200, 200, 403, 403]);
    const writes = [
      ['/v1/connect/ca/configuration', JSON.stringify({ Provider: 'consul', Config: {} })],
      ['/v1/config', JSON.stringify({ Kind: 'service-intentions', Name: 'order', Sources: [{ Name: '*', Action: 'allow' }] })],
      ['/v1/kv/a', 'x'],
    ] as const;
    for (const [path, body] of writes) {
      expect(await statusFor('evil.example', 'PUT', path, body), path).to.equal(403);
      expect(await statusFor('localhost', 'PUT', path, body), path).to.equal(200);
    }
  });

  const refused: readonly [what: string, body: unknown, status: number][] = [
    ['another authority', { Provider: 'vault', Config: {} }, 501],
    ['a root from elsewhere', { Provider: 'consul', Config: { RootCert: 'x' } }, 501],
    ['what it does not know', { Provider: 'consul', Config: { CSRMaxPerSecond: 1 } }, 501],
    ['a lifetime below an hour', { Provider: 'consul', Config: { LeafCertTTL: '30m' } }, 500],
    ['a key that is none', { Provider: 'consul', Config: { PrivateKey: 'secret-canary' } }, 500],
    ['no object', [], 400],
  ];
  for (const [what, body, status] of refused) {
    it(`refuses a configuration with ${what}, and repeats no key`, async () => {
      const answer = await ask(agent.url, 'PUT', '/v1/connect/ca/configuration', JSON.stringify(body));
      expect(answer.status).to.equal(status);
      expect(answer.text + memory.text()).to.not.contain('canary');
    });
  }
});
