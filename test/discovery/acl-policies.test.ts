import { expect } from 'chai';
import { connectConsul, type ConsulControlPlane, type Instance, type Intention, type Policy } from '#discovery';
import { MeshError, refusal, silentLog, systemClock, systemRandom } from '#kit';
import { MODULE_NAMES, type ModuleName } from '#modules';

import { declaredCalls } from '../../deploy/consul/declared-calls.ts';
import { type Consul, startConsul } from '../backends/consul.ts';
import { locateBackend } from '../backends/locate.ts';
import { type Acl, createAcl, readPolicyFile } from './support/acl.ts';
import { type Backend, startBackend } from './support/backend.ts';
import { firstValue } from './support/first-value.ts';
import { registration } from './support/instances.ts';

const management = '11111111-2222-3333-4444-555555555555';
const DOCUMENT = 'mesh/policy/order.PlaceOrder';
const allowed = (source: string, destination: string) => ({ source, destination, rule: { kind: 'action', action: 'allow' }, description: '' }) as const;

describe('the policies of deploy/consul, in a Consul that denies by default', function () {
  this.timeout(60_000);
  let consul: Consul | undefined;
  let acl: Acl;
  let backend: Backend | undefined;
  let owner: ConsulControlPlane;
  const planes: ConsulControlPlane[] = [];

  async function open(token: string, source: 'sign' | 'agent' = 'sign'): Promise<ConsulControlPlane> {
    const certificates = { source, grpcAddress: consul?.grpcAddr ?? '' };
    const plane = await connectConsul({ address: consul?.httpAddr ?? '', token, certificates, clock: systemClock, random: systemRandom, log: silentLog });
    planes.push(plane);
    return plane;
  }

  const raw = async (token: string, method: string, path: string, body?: object): Promise<number> =>
    (await fetch(`${consul?.httpAddr}${path}`, { method, headers: { 'x-consul-token': token, connection: 'close' }, ...(body && { body: JSON.stringify(body) }) })).status;

  before(async function () {
    const isMissing = (await locateBackend('consul')) === undefined;
    if (isMissing && process.env['CI'] !== 'true') this.skip();
    [consul, backend] = await Promise.all([startConsul({ managementToken: management }), startBackend('each of them')]);
    acl = createAcl(consul.httpAddr, management);
    owner = await open(management);
    for (const name of [...MODULE_NAMES, 'operator-read', 'operator-steer']) await acl.policy(name, await readPolicyFile(name));
    for (const name of MODULE_NAMES) await owner.register(registration(name, `${name}-1`, backend.port));
    for (const { caller, called } of await declaredCalls()) await owner.intentions.set(allowed(caller, called));
    await owner.policies.put(DOCUMENT, '{}');
    await owner.policies.put('elsewhere/secret', '{}');
  });
  after(async () => {
    await Promise.all(planes.map((plane) => plane.stop()));
    await Promise.all([consul?.stop(), backend?.stop()]);
  });

  const instancesOf = (plane: ConsulControlPlane, service: string): Promise<readonly Instance[]> =>
    firstValue((onInstances, onError) => plane.watchInstances(service, { onInstances, onError }));
  const intentionsOf = (plane: ConsulControlPlane, service: string): Promise<readonly Intention[]> =>
    firstValue((onIntentions, onError) => plane.intentions.watch(service, { onIntentions, onError }));
  const policiesUnder = (plane: ConsulControlPlane, prefix: string): Promise<readonly Policy[]> =>
    firstValue((onPolicies, onError) => plane.policies.watch(prefix, { onPolicies, onError }));

  /** What no service may do, each as an attempt that fails, with CONTROL_PLANE_UNAVAILABLE and what is missing. */
  function forbidden(plane: ConsulControlPlane, token: string, { self, sibling, stranger }: Names): Record<string, () => Promise<unknown>> {
    return {
      'register a sibling': () => plane.register(registration(sibling, `${sibling}-false`, 2)),
      'have a sibling signed': () => plane.certificates.identity(sibling),
      'look for a service that it does not call': () => instancesOf(plane, stranger),
      'read the intentions of a service that it does not call': () => intentionsOf(plane, stranger),
      'let a sibling in': () => plane.intentions.set(allowed(sibling, self)),
      'let itself in': () => plane.intentions.set(allowed(self, sibling)),
      'let all in': () => plane.intentions.set(allowed('*', '*')),
      'write a policy': () => plane.policies.put(DOCUMENT, 'false'),
      'delete a policy': () => plane.policies.delete(DOCUMENT),
      'read other keys': () => policiesUnder(plane, 'elsewhere/'),
      'take a lock': () => attempt(raw(token, 'PUT', '/v1/session/create', {})),
      'read the configuration of the agent': () => attempt(raw(token, 'GET', '/v1/agent/self')),
      'read access control lists': () => attempt(raw(token, 'GET', '/v1/acl/tokens')),
      'change the authority': () => attempt(raw(token, 'PUT', '/v1/connect/ca/configuration', { Provider: 'consul', Config: {} })),
      'take a node out': () => attempt(raw(token, 'PUT', '/v1/catalog/deregister', { Node: 'none' })),
    };
  }

  /** Which of the attempts get through. */
  async function throughOf(attempts: Record<string, () => Promise<unknown>>): Promise<string[]> {
    const outcomes = await Promise.all(Object.entries(attempts).map(async ([what, run]) => {
      const refused: unknown = await run().then(() => undefined, (error: unknown) => error);
      if (refused === undefined) return what;
      expect(MeshError.from(refused), what).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' }).and.to.have.nested.property('metadata.kind', 'refused');
      expect(String(refused), what).to.contain('CONSUL_HTTP_TOKEN');
      return [];
    }));
    return outcomes.flat();
  }

  for (const self of MODULE_NAMES) {
    it(`let ${self} do what it does, and nothing else`, async () => {
      const { secret } = await acl.token(self);
      const [plane, agent] = [await open(secret), await open(secret, 'agent')];
      const names = await othersOf(self);
      await plane.register(registration(self, `${self}-2`, backend?.port ?? 0));
      const found = await Promise.all(names.called.map((called) => instancesOf(plane, called)));
      expect(found.map((instances) => instances.length > 0)).to.deep.equal(names.called.map(() => true));
      for (const { certificates } of [plane, agent]) expect((await certificates.identity(self)).leaf().service).to.equal(self);
      expect((await intentionsOf(plane, self)).map(({ source }) => source)).to.have.members(names.callers);
      expect((await policiesUnder(plane, 'mesh/')).map(({ key }) => key)).to.deep.equal([DOCUMENT]);
      expect(await throughOf(forbidden(plane, secret, names))).to.deep.equal([]);
      expect(await plane.intentions.defaultAction()).to.equal(undefined);
      // All that it sees of the catalog.
      expect([...new Set((await plane.listInstances()).map(({ service }) => service))]).to.have.members([self, ...names.called]);
    });
  }

  it('add up for a process of several services', async () => {
    const services = ['order', 'payment', 'shipping'] as const;
    const { secret } = await acl.token(...services);
    const plane = await open(secret);
    for (const self of services) {
      await plane.register(registration(self, `${self}-3`, backend?.port ?? 0));
      expect((await plane.certificates.identity(self)).leaf().service).to.equal(self);
      expect((await intentionsOf(plane, self)).map(({ source }) => source)).to.have.members((await othersOf(self)).callers);
    }
    const names = { self: 'order', sibling: 'user', stranger: 'notification' };
    expect(await throughOf(forbidden(plane, secret, names))).to.deep.equal([]);
  });

  it('are what refuses: with a policy that allows it, each of these attempts gets through', async () => {
    const wide = ['service', 'key', 'session', 'agent', 'node'].map((kind) => `${kind}_prefix "" { policy = "write" ${kind === 'service' ? 'intentions = "write"' : ''} }`);
    await acl.policy('wide', `${wide.join('\n')}\nacl = "write"\noperator = "write"`);
    const { secret } = await acl.token('wide');
    const attempts = forbidden(await open(secret), secret, { self: 'inventory', sibling: 'payment', stranger: 'order' });
    expect(await throughOf(attempts)).to.have.members(Object.keys(attempts));
    await owner.intentions.delete('*', '*');
    await owner.policies.put(DOCUMENT, '{}');
  });

  it('are no protection where the agent makes the certificates: it gives its copy, with the key, to whoever asks', async () => {
    const leafOf = (service: string): Promise<number> => raw('', 'GET', `/v1/agent/connect/ca/leaf/${service}`);
    expect(await leafOf('from-agent')).to.equal(403);
    await (await open(management, 'agent')).certificates.identity('from-agent');
    // As Consul 1.19.2 does it, without any token; the reason for MESH_CERTIFICATES=sign.
    expect(await leafOf('from-agent')).to.equal(200);
    await (await open(management, 'sign')).certificates.identity('signed');
    expect(await leafOf('signed')).to.equal(403);
  });

  it('let operators look, and those who steer change what is the shop\'s', async () => {
    const looking = await open((await acl.token('operator-read')).secret);
    expect(new Set((await looking.listInstances()).map(({ service }) => service))).to.include.keys(...MODULE_NAMES);
    expect((await looking.intentions.list()).length).to.be.above(5);
    expect(await looking.intentions.defaultAction()).to.equal('deny');
    expect((await policiesUnder(looking, 'mesh/')).map(({ key }) => key)).to.deep.equal([DOCUMENT]);
    expect((await looking.certificates.identity('operator')).leaf().service).to.equal('operator');
    const steer = (plane: ConsulControlPlane): Record<string, () => Promise<unknown>> => ({
      'change an intention': () => plane.intentions.set(allowed('operator', 'order')),
      'change a policy': () => plane.policies.put(DOCUMENT, '{}'),
    });
    const never = (plane: ConsulControlPlane): Record<string, () => Promise<unknown>> => ({
      'change what holds for all': () => plane.intentions.set(allowed('*', '*')),
      'be a service': () => plane.certificates.identity('order'),
    });
    const steering = await open((await acl.token('operator-read', 'operator-steer')).secret);
    expect(await throughOf({ ...steer(looking), ...never(looking) })).to.deep.equal([]);
    expect(await throughOf({ ...steer(steering), ...never(steering) })).to.have.members(Object.keys(steer(steering)));
  });
});

interface Names {
  readonly self: string;
  readonly sibling: string;
  /** A service that it does not call. */
  readonly stranger: string;
}

async function othersOf(self: ModuleName): Promise<Names & { readonly called: readonly string[]; readonly callers: readonly string[] }> {
  const calls = await declaredCalls();
  const called = calls.filter((call) => call.caller === self && call.called !== self).map((call) => call.called);
  const callers = calls.filter((call) => call.called === self).map(({ caller }) => caller);
  const sibling = called[0] ?? MODULE_NAMES.find((name) => name !== self) ?? '';
  return { self, called, callers, sibling, stranger: MODULE_NAMES.find((name) => name !== self && !called.includes(name)) ?? '' };
}

/** Says of an HTTP status what the control plane says of its own calls. */
async function attempt(answered: Promise<number>): Promise<void> {
  if ((await answered) !== 403) return;
  throw refusal('CONTROL_PLANE_UNAVAILABLE', 'CONSUL_HTTP_TOKEN', { metadata: { kind: 'refused' } });
}
