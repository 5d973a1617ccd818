import { rm } from 'node:fs/promises';

import type { DescService } from '@bufbuild/protobuf';
import { Channel, type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { createCaller } from '../../cli/calling/caller.ts';
import { connectControlPlane } from '../../cli/serving/control-plane.ts';
import { untilGuarded } from '../../cli/serving/guard.ts';
import { serve, type ServingProcess } from '../../cli/serving/serve.ts';
import { loadSettings, type Resolved } from '../../cli/settings.ts';
import { askAsOperator } from '../../cli/status/ask-as-operator.ts';
import type { InstanceHealth } from '#discovery';
import { type EmbeddedAgent, startAgent } from '#discovery/agent';
import { silentLog, systemClock, systemRandom } from '#kit';
import { type Client, createMesh, type Peer, type ServerInterceptor } from '#mesh';
import type { ModuleName } from '#modules';
import { Health, HealthCheckResponse_ServingStatus as Status } from '#proto/grpc/health/v1/health_pb.js';
import { InstanceService } from '#proto/mesh/v1/instance_pb.js';
import { ProductService } from '#proto/shop/product/v1/product_pb.js';

import { freePort } from '../backends/free-port.ts';
import { createTestDatabase, makeTestFolder, type TestDatabase } from '../database/postgres-fixture.ts';
import { ask } from '../discovery/support/http.ts';
import { createManualClock } from '../discovery/support/manual-clock.ts';
import { until } from '../discovery/support/until.ts';
import { failureOf } from '../mesh/support/outcome.ts';

const PLAINTEXT = credentials.createInsecure();
/** What asks for health only: TLS without a certificate, and without a look at the server's. */
const WITHOUT_CERTIFICATE = credentials.createSsl(null, null, null, { rejectUnauthorized: false, checkServerIdentity: () => undefined });

describe('the ports of a service', function () {
  this.timeout(30_000);
  this.slow(5_000);

  let folder: string;
  let agent: EmbeddedAgent;
  let database: TestDatabase;
  const stops: (() => Promise<unknown>)[] = [];
  /** Who has called what, as the services saw it. */
  const seen = new Map<string, Peer>();
  before(async () => {
    folder = await makeTestFolder();
    agent = await startAgent({ dataDir: folder, host: '127.0.0.1', port: 0, log: silentLog, clock: systemClock, random: systemRandom });
    database = await createTestDatabase();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
    seen.clear();
  });
  after(async () => {
    await agent.stop();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  async function settingsWith(more: Readonly<Record<string, string>> = {}): Promise<Resolved> {
    const ports = { MESH_PORT_USER: '0', MESH_PORT_PRODUCT: '0' };
    const settings = await loadSettings({ CONSUL_HTTP_ADDR: agent.url, DATABASE_URL: database.url, OTEL_TRACES_EXPORTER: 'none', ...ports, ...more });
    // From a flag, a port would be wanted by all means.
    return { ...settings, origins: { ...settings.origins, MESH_PORT_PRODUCT: 'environment' } };
  }

  const look: ServerInterceptor = (next) => (call) => {
    seen.set(call.method.desc.name, call.peer);
    return next(call);
  };

  async function start(names: readonly ModuleName[], more: Readonly<Record<string, string>> = {}): Promise<ServingProcess> {
    const running = await serve(names, await settingsWith(more), silentLog, { server: [look] });
    stops.push(async () => {
      // What is in flight is of no account here.
      const stopped = running.stop();
      running.hurry();
      await stopped;
    });
    return running;
  }

  async function startProduct(more: Readonly<Record<string, string>> = {}) {
    const [served] = (await start(['product'], more)).services;
    if (!served) throw new Error('nothing serves');
    return served;
  }

  function stubAt<S extends DescService>(contract: S, port: number, how: ChannelCredentials): Client<S> {
    const options = { 'grpc.enable_http_proxy': 0, 'grpc.ssl_target_name_override': 'product' };
    const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel: () => new Channel(`127.0.0.1:${port}`, how, options) });
    stops.push(mesh.stop);
    return mesh.client(contract, { tracer: trace.getTracer('test'), service: '' });
  }

  async function asOperator<S extends DescService>(contract: S): Promise<Client<S>> {
    const caller = await createCaller(await settingsWith());
    stops.push(caller.stop);
    return caller.mesh.client(contract, caller);
  }

  async function instances(): Promise<readonly InstanceHealth[]> {
    const controlPlane = await connectControlPlane(await settingsWith(), silentLog);
    stops.push(controlPlane.stop);
    return controlPlane.listInstances();
  }

  it('are one, for callers with a certificate, where nobody explores', async () => {
    const { port, mtlsPort } = await startProduct();
    expect(port).to.equal(mtlsPort);
    expect(await instances()).to.have.length(1).with.nested.property('0.port', mtlsPort);
    await (await asOperator(ProductService)).listProducts({});
    expect(seen.get('ListProducts')).to.deep.equal({ service: 'operator', proof: 'certificate', address: '127.0.0.1' });
    seen.clear();
    await failureOf(stubAt(ProductService, port, PLAINTEXT).listProducts({}));
    expect(seen.size, 'calls in plaintext').to.equal(0);
  });

  it('are two with MESH_EXPLORER: that which is set in plaintext, and a free one that is registered', async () => {
    const { port, mtlsPort } = await startProduct({ MESH_EXPLORER: 'true', MESH_PORT_PRODUCT: String(await freePort()) });
    expect(port).to.not.equal(mtlsPort);
    const [registered] = await instances();
    expect(registered).to.deep.include({ port: mtlsPort });
    expect(registered?.metadata).to.include({ explorer_port: String(port) });
    await stubAt(ProductService, port, PLAINTEXT).listProducts({});
    expect(seen.get('ListProducts')).to.include({ service: 'explorer', proof: 'loopback' });
  });

  it('are free ones for a further instance, whichever of the first one\'s is set', async () => {
    const set = { MESH_EXPLORER: 'true', MESH_PORT_PRODUCT: String(await freePort()) };
    const [first, second] = [await startProduct(set), await startProduct(set)];
    expect(String(first.port)).to.equal(set.MESH_PORT_PRODUCT);
    expect(new Set([first.port, first.mtlsPort, second.port, second.mtlsPort])).to.have.length(4);
  });

  it('tell without a certificate how the service is, and nothing else', async () => {
    const { mtlsPort, id } = await startProduct();
    const asked = async () => (await ask(agent.url, 'GET', '/v1/agent/checks')).json<Record<string, { Status: string; Output: string }>>();
    await until('the agent has asked', async () => (await asked())[`service:${id}`]?.Output.endsWith('success') === true);
    expect((await stubAt(Health, mtlsPort, WITHOUT_CERTIFICATE).check({})).status).to.equal(Status.SERVING);
    for (const call of [stubAt(ProductService, mtlsPort, WITHOUT_CERTIFICATE).listProducts({}), stubAt(InstanceService, mtlsPort, WITHOUT_CERTIFICATE).getInstance({})]) {
      expect(await failureOf(call)).to.include({ reason: 'CERTIFICATE_REQUIRED' });
    }
  });

  it('take callers without a certificate where MESH_MTLS is permissive, as nobody', async () => {
    const { port } = await startProduct({ MESH_MTLS: 'permissive' });
    for (const how of [PLAINTEXT, WITHOUT_CERTIFICATE]) {
      await stubAt(ProductService, port, how).listProducts({});
      expect(seen.get('ListProducts')).to.deep.equal({ service: '', proof: 'none', address: '127.0.0.1' });
      seen.clear();
    }
  });

  it('refuse whom no intention lets in where MESH_INTENTIONS_DEFAULT says so', async () => {
    await startProduct({ MESH_INTENTIONS_DEFAULT: 'deny' });
    const products = await asOperator(ProductService);
    expect(await failureOf(products.listProducts({}))).to.include({ reason: 'INTENTION_DENIED' });
    const controlPlane = await connectControlPlane(await settingsWith(), silentLog);
    stops.push(controlPlane.stop);
    const [instance] = await controlPlane.listInstances();
    const told: string[] = [];
    const asking = askAsOperator(controlPlane, ({ reason }) => told.push(reason));
    // The table of instances has a row for each, whoever refuses to say more.
    for (let time = 0; time < 2; time += 1) expect(instance && (await asking(instance))).to.equal(undefined);
    expect(told).to.deep.equal(['INTENTION_DENIED']);
  });

  it('are not needed within a process, where each service calls as itself', async () => {
    await start(['product', 'user']);
    const forged = [{ alg: 'EdDSA', kid: 'nobody' }, { sub: 'somebody' }, {}].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const headers = { authorization: `Bearer ${forged}` };
    // Whether it is good is for the user service to say, who asks itself.
    expect(await failureOf((await asOperator(ProductService)).listProducts({}, { headers }))).to.include({ reason: 'ACCESS_TOKEN_REFUSED' });
    expect(seen.get('GetSigningKeys')).to.deep.equal({ service: 'user', proof: 'process', address: '' });
  });

  it('are not opened in plaintext at an address that other machines reach', async () => {
    for (const address of ['192.0.2.1', '0.0.0.0', '::']) {
      const refused = await failureOf(serve(['product'], await settingsWith({ MESH_EXPLORER: 'true', MESH_ADVERTISE: address }), silentLog));
      expect(refused).to.include({ reason: 'INVALID_SETTING' });
      expect(refused.message).to.contain('MESH_EXPLORER').and.to.contain(address);
    }
    expect(await instances()).to.deep.equal([]);
  });
});

describe('a service that starts', () => {
  it('waits until it is known who may call it, and not for ever', async () => {
    const clock = createManualClock();
    await untilGuarded({ ready: async () => undefined }, 'user', clock);
    expect(clock.sleeping()).to.deep.equal([]);
    const waiting = failureOf(untilGuarded({ ready: () => new Promise(() => undefined) }, 'user', clock));
    await clock.advance(10_000);
    expect(await waiting).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
  });
});
