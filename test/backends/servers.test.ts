import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Admin } from '@platformatic/kafka';
import { expect } from 'chai';
import { startConsul, type Consul } from './consul.ts';
import { endsSoon } from './ends-soon.ts';
import { startJaeger, type Jaeger } from './jaeger.ts';
import { startKafka, type Kafka } from './kafka.ts';
import { locateBackend, requireBackend, type BackendName } from './locate.ts';
import { probe } from './probe.ts';
import { startStripeMock, type StripeMock } from './stripe-mock.ts';

const execute = promisify(execFile);

/** Skips the suite where the backend is not installed; with CI=true that is a failure. */
function needs(name: BackendName): void {
  before(async function () {
    if (process.env['CI'] === 'true') await requireBackend(name);
    else if ((await locateBackend(name)) === undefined) this.skip();
  });
}

async function readJson<T>(url: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(url, { ...init, headers: { ...init.headers, connection: 'close' } });
  expect(response.status, url).to.equal(200);
  return (await response.json()) as T;
}

describe('real Consul for tests', function () {
  this.timeout(60_000);
  needs('consul');
  let consul: Consul;
  before(async () => {
    consul = await startConsul();
  });
  after(() => consul?.stop());

  it('answers for services, health, KV and certificates', async () => {
    const { httpAddr } = consul;
    const service = { ID: 'inventory-1', Name: 'inventory', Port: 50053, Check: { TTL: '30s', Status: 'passing' } };
    await fetch(`${httpAddr}/v1/agent/service/register`, { method: 'PUT', body: JSON.stringify(service) });
    const healthy = await readJson<{ Service: { ID: string } }[]>(
      `${httpAddr}/v1/health/service/inventory?passing=true`,
    );
    expect(healthy.map((entry) => entry.Service.ID)).to.deep.equal(['inventory-1']);
    expect(await readJson(`${httpAddr}/v1/kv/mesh/a?cas=0`, { method: 'PUT', body: 'first' })).to.equal(true);
    expect(await readJson(`${httpAddr}/v1/kv/mesh/a?cas=0`, { method: 'PUT', body: 'second' })).to.equal(false);
    expect(await (await fetch(`${httpAddr}/v1/kv/mesh/a?raw`)).text()).to.equal('first');
    const leaf = await readJson<{ ServiceURI: string }>(`${httpAddr}/v1/agent/connect/ca/leaf/inventory`);
    expect(leaf.ServiceURI).to.match(/^spiffe:\/\/.+\/svc\/inventory$/);
  });

  it('can be killed and comes back on the same address with an empty state', async () => {
    await consul.kill();
    expect(await probe(`${consul.httpAddr}/v1/status/leader`)).to.equal(undefined);
    await consul.restart();
    expect(await readJson<unknown[]>(`${consul.httpAddr}/v1/health/service/inventory`)).to.deep.equal([]);
    expect((await fetch(`${consul.httpAddr}/v1/kv/mesh/a`)).status).to.equal(404);
  });

  it('can come back with the services that were registered', async () => {
    await fetch(`${consul.httpAddr}/v1/agent/service/register`, { method: 'PUT', body: '{"Name":"payment"}' });
    await consul.restart({ keepServices: true });
    expect(await readJson(`${consul.httpAddr}/v1/agent/services`)).to.have.property('payment');
  });
});

describe('real Jaeger for tests', function () {
  this.timeout(60_000);
  needs('jaeger');
  let jaeger: Jaeger;
  before(async () => {
    jaeger = await startJaeger();
  });
  after(() => jaeger?.stop());

  it('gives back a span that was sent over OTLP', async () => {
    const traceId = randomBytes(16).toString('hex');
    const spanId = randomBytes(8).toString('hex');
    const now = BigInt(Date.now()) * 1_000_000n;
    const times = { startTimeUnixNano: `${now}`, endTimeUnixNano: `${now + 5n}` };
    const span = { traceId, spanId, name: 'probe', kind: 2, ...times };
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'order' } }] };
    const sent = await fetch(`${jaeger.otlpHttpEndpoint}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
    });
    expect(sent.status).to.equal(200);
    let found = await probe(`${jaeger.queryUrl}/api/traces/${traceId}`);
    for (let tries = 0; tries < 200 && found?.status !== 200; tries += 1) {
      await delay(25);
      found = await probe(`${jaeger.queryUrl}/api/traces/${traceId}`);
    }
    expect(found?.body).to.contain(spanId).and.to.contain('"operationName":"probe"');
    expect((await probe(`${jaeger.queryUrl}/api/services`))?.body).to.contain('"order"');
  });

  it('listens for thrift', async () => {
    expect((await probe(jaeger.thriftHttpEndpoint))?.status).to.equal(405);
  });
});

describe('real Kafka for tests', function () {
  this.timeout(60_000);
  needs('kafka');
  let kafka: Kafka;
  before(async () => {
    kafka = await startKafka({ properties: ['num.partitions=3'] });
  });
  after(() => kafka?.stop());

  it('keeps its topics when it is killed and comes back on the same address', async () => {
    const ask = async <T>(question: (admin: Admin) => Promise<T>): Promise<T> => {
      const admin = new Admin({ clientId: 'test', bootstrapBrokers: [kafka.brokers] });
      return question(admin).finally(() => admin.close());
    };
    const [created] = await ask((admin) => admin.createTopics({ topics: ['orders'] }));
    expect(created).to.include({ name: 'orders', partitions: 3 });
    const before = kafka.pid();
    await kafka.kill();
    await kafka.restart();
    expect(kafka.pid()).not.to.equal(before);
    expect(await ask((admin) => admin.listTopics())).to.deep.equal(['orders']);
  });
});

describe('real stripe-mock for tests', function () {
  this.timeout(30_000);
  needs('stripe-mock');
  let mock: StripeMock;
  before(async () => {
    mock = await startStripeMock();
  });
  after(() => mock?.stop());

  it('answers a PaymentIntent', async () => {
    const answer = await readJson<{ object: string; amount: number }>(
      `http://${mock.host}:${mock.port}/v1/payment_intents`,
      {
        method: 'POST',
        headers: { authorization: 'Bearer sk_test_1' },
        body: new URLSearchParams('amount=100&currency=eur'),
      },
    );
    expect(answer).to.include({ object: 'payment_intent', amount: 100 });
  });

  it('does not outlive a test run that is killed with -9', async () => {
    const file = fileURLToPath(new URL('./stripe-mock.ts', import.meta.url));
    const code = `const { startStripeMock } = await import(${JSON.stringify(file)});
      const mock = await startStripeMock();
      console.log(mock.pid(), mock.port);`;
    const run = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = once(run, 'exit');
    const early = gone.then(() => {
      throw new Error('The test run ended before it had started stripe-mock.');
    });
    const [printed] = (await Promise.race([once(run.stdout.setEncoding('utf8'), 'data'), early])) as [string];
    early.catch(() => undefined);
    const [pid = 0, port = 0] = printed.trim().split(' ').map(Number);
    expect(await probe(`http://127.0.0.1:${port}/`)).not.to.equal(undefined);
    run.kill('SIGKILL');
    await gone;
    expect(await endsSoon(pid), 'stripe-mock has ended').to.equal(true);
  });
});

describe('real tools for tests', function () {
  this.timeout(30_000);

  describe('grpcurl', () => {
    needs('grpcurl');
    it('runs', async () => {
      const { stderr } = await execute(await requireBackend('grpcurl'), ['-version']);
      expect(stderr).to.contain('v1.9.4');
    });
  });

  describe('connectconformance', () => {
    needs('connectconformance');
    it('runs', async () => {
      const { stdout } = await execute(await requireBackend('connectconformance'), ['--version']);
      expect(stdout).to.contain('v1.0.7');
    });
  });

  describe('envoy', () => {
    needs('envoy');
    it('runs', async () => {
      const { stdout } = await execute(await requireBackend('envoy'), ['--version']);
      expect(stdout).to.contain('/1.40.0/');
    });
  });

  describe('docker-compose', () => {
    needs('docker-compose');
    it('checks a file without an engine', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'shopmesh-compose-'));
      const file = join(folder, 'docker-compose.yml');
      const compose = await requireBackend('docker-compose');
      await writeFile(file, 'services:\n  consul:\n    image: consul:${TAG:-1}\n');
      const { stdout } = await execute(compose, ['-f', file, 'config']);
      expect(stdout).to.contain('image: consul:1');
      await writeFile(file, 'services:\n  consul:\n    imagee: consul\n');
      const refused = await execute(compose, ['-f', file, 'config']).catch((error: Error) => error.message);
      expect(refused).to.contain('imagee');
      await rm(folder, { recursive: true });
    });
  });
});
