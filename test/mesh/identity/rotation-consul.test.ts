import { X509Certificate } from 'node:crypto';

import { Channel } from '@grpc/grpc-js';
import { expect } from 'chai';

import { connectConsul, type ConsulControlPlane } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';
import { createMesh, meshCredentials, type OpenChannel } from '#mesh';

import { newKeyPem } from '../../../discovery/agent/ca-certificates.ts';
import { type Consul, startConsul } from '../../backends/consul.ts';
import { locateBackend } from '../../backends/locate.ts';
import { createTestAuthority } from '../../discovery/support/authority.ts';
import { holdIdentity, type Shown } from '../../discovery/support/held-identity.ts';
import { ask } from '../../discovery/support/http.ts';
import { until } from '../../discovery/support/until.ts';
import { type Load, startLoad } from './rotation/load.ts';
import { openRootsFront, type RootsFront } from './rotation/roots-front.ts';
import { type RunningService, runServices } from './rotation/running-services.ts';
import { type ServedConnection, type ServedConnections, watchServedConnections } from './rotation/served-connections.ts';

/** The agent spreads new leaves over half a minute after another root begins to sign. */
const RENEWED_MS = 60_000;
/** Calls in flight have 5 s once a root is gone. */
const LEFT_MS = 20_000;

/** Who watches orders. */
const READERS = ['payment', 'product', 'user'];

describe("the rotation of Consul's root, while services call each other", function () {
  this.timeout(200_000);
  let consul: Consul;
  let front: RootsFront;
  let served: ServedConnections;
  let services: readonly RunningService[];
  let load: Load;
  const toStop: (() => unknown)[] = [];

  before(async function () {
    const isMissing = (await locateBackend('consul')) === undefined;
    if (isMissing && process.env['CI'] !== 'true') this.skip();
    consul = await startConsul();
    toStop.push(consul.stop);
    front = await openRootsFront(consul);
    toStop.push(front.stop);
    served = watchServedConnections();
    toStop.push(served.stop);
    // Two services have their leaves from the agent, and two have keys of their own signed.
    services = await runServices([await connect('agent'), await connect('sign')]);
    toStop.push(...services.map(({ stop }) => stop));
  });
  beforeEach(() => {
    load = startLoad(services);
  });
  afterEach(() => load.end());
  after(async () => {
    for (const stop of toStop.splice(0).reverse()) await stop();
  });

  async function connect(source: 'agent' | 'sign'): Promise<ConsulControlPlane> {
    const certificates = { source, grpcAddress: front.grpcAddr };
    const plane = await connectConsul({ address: front.httpAddr, clock: systemClock, random: systemRandom, log: silentLog, certificates });
    toStop.push(plane.stop);
    return plane;
  }

  const pairs = (): number => services.length * (services.length - 1);
  const leaves = (): readonly string[] => services.map(({ identity }) => identity.leaf().chainPem);
  const rootOf = ({ identity }: RunningService): string => identity.trust().roots[0] ?? '';
  const isBy = (certificate: X509Certificate, root: string): boolean => certificate.verify(new X509Certificate(root).publicKey);

  /** Each service has called each other one since, and some for the first time. */
  async function settle(): Promise<void> {
    const [calls, newcomers] = [load.calls() + 120, load.newcomers() + 4];
    await until('more calls were made', () => load.calls() >= calls && load.newcomers() >= newcomers, 20_000);
  }

  /** Consul makes the root for a key, or takes one that is made. The one before vouches for it. */
  async function rotate(root: { readonly PrivateKey: string; readonly RootCert?: string }): Promise<void> {
    const body = { Provider: 'consul', Config: { LeafCertTTL: '72h', IntermediateCertTTL: '8760h', ...root } };
    const { status, text } = await ask(consul.httpAddr, 'PUT', '/v1/connect/ca/configuration', JSON.stringify(body));
    expect(status, text).to.equal(200);
  }

  async function ownRoot(): Promise<{ readonly PrivateKey: string; readonly RootCert: string }> {
    const [{ identity } = noService()] = services;
    const { root } = await createTestAuthority(identity.trust().trustDomain.replace(/\.consul$/, ''));
    return { PrivateKey: root.keyPem ?? '', RootCert: root.certPem };
  }

  /** All services have other leaves than these, by the root that signs now. */
  async function renewed(before: readonly string[]): Promise<void> {
    await until('every leaf is renewed', () => leaves().every((leaf) => !before.includes(leaf)), RENEWED_MS);
    for (const service of services) expect(isBy(new X509Certificate(service.identity.leaf().chainPem), rootOf(service)), service.service.name).to.equal(true);
  }

  /** Whether a thief who has no more than this leaf gets through to a service. */
  async function isLetIn(stolen: Shown): Promise<boolean> {
    const [from = noService(), to = noService()] = services;
    const thief = holdIdentity(from.service.name, stolen, to.identity.trust());
    const options = { 'grpc.enable_http_proxy': 0, 'grpc.ssl_target_name_override': to.service.name };
    const openChannel: OpenChannel = (service) => new Channel(`127.0.0.1:${to.port}`, meshCredentials(thief, service), options);
    const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel });
    const call = to.service.call(mesh, from.service.name);
    const isAnswered = await call().then(() => true, () => false);
    await mesh.stop();
    return isAnswered;
  }

  it('renews every leaf, twice, lets nobody in any more by a root that is dropped, and fails no call', async () => {
    const [first = noService()] = services;
    const oldRoots = [rootOf(first)];
    const { chainPem, privateKey } = first.identity.leaf();
    const stolen = { chainPem, keyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() };
    await settle();
    for (const root of [{ PrivateKey: await newKeyPem() }, await ownRoot()]) {
      const before = leaves();
      await rotate(root);
      await renewed(before);
      await settle();
      for (const service of services) expect(service.identity.trust().roots).to.include.members(oldRoots);
      oldRoots.unshift(rootOf(first));
    }
    expect(await isLetIn(stolen), 'while its root is in the list').to.equal(true);
    expect(load.brokenOff, 'streams while all roots are in the list').to.deep.equal([]);

    const [latest = ''] = oldRoots;
    const isLatest = ({ caller, server }: ServedConnection): boolean => isBy(caller, latest) && isBy(server, latest);
    expect(served.open().every(isLatest), 'a new leaf is for new connections').to.equal(false);
    front.dropFormer();
    await until('no other root is believed', () => services.every(({ identity }) => identity.trust().roots.join() === latest));
    await until('every connection is by the root that signs', () => served.open().every(isLatest), LEFT_MS);
    expect(await isLetIn(stolen), 'when its root is dropped').to.equal(false);
    await settle();
    expect(served.open()).to.have.length.at.least(pairs());
    expect(served.open().every(isLatest)).to.equal(true);
    // They go on where they were: a change that is missed or comes twice has another reason.
    expect(load.brokenOff.map((said) => said.split(' order could')[0])).to.have.members(READERS.map((name) => `${name} watches for ever: UNREACHABLE`));
    await load.end();
    expect(load.failures).to.deep.equal([]);
  });

  it('would fail calls, if the root before were dropped as the next one comes', async () => {
    // As it is since the test before.
    front.dropFormer();
    await settle();
    expect(load.failures).to.deep.equal([]);
    await rotate({ PrivateKey: await newKeyPem() });
    await until('a call failed', () => load.failures.length > 0, LEFT_MS);
    expect(load.failures[0]).to.match(/SERVER_IDENTITY|UNREACHABLE/);
  });
});

function noService(): never {
  throw new Error('no service runs');
}
