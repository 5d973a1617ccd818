import { createPrivateKey } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { connectConsul, type ConsulControlPlane, type Intention, peerService, readChain } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';
import { createIntentions, intentionRequest } from '#mesh';
import { MODULE_NAMES } from '#modules';

import { OPERATOR } from '../../cli/caller-names.ts';
import { declaredCalls } from '../../deploy/consul/declared-calls.ts';
import { locateBackend } from '../backends/locate.ts';
import { meshHere } from '../cli/support/in-process.ts';
import { inherited } from '../cli/support/shop-folder.ts';
import { registration } from '../discovery/support/instances.ts';
import { firstValue } from '../discovery/support/first-value.ts';
import { commandsOf, type ProductionConsul, startProductionConsul } from './production-consul.ts';

const call = intentionRequest('/any.Service/Method', {});
/** The two that whoever verifies access tokens needs, and one that it does not. */
const TOKEN_PATHS = ['GetSigningKeys', 'ListRevocations', 'DeleteAccount'].map((method) => `/shop.user.v1.AccountService/${method}`);

describe('a Consul that was set up as docs/security.md says', function () {
  this.timeout(90_000);
  let consul: ProductionConsul | undefined;
  const planes: ConsulControlPlane[] = [];
  before(async function () {
    const isMissing = (await Promise.all([locateBackend('consul'), locateBackend('grpcurl')])).includes(undefined);
    if (isMissing && process.env['CI'] !== 'true') this.skip();
    consul = await startProductionConsul();
  });
  after(async () => {
    await Promise.all(planes.map((plane) => plane.stop()));
    await consul?.stop();
  });

  /** As a process with the settings of step 6. */
  async function openAs(token: string, serverName = 'server.dc1.consul'): Promise<ConsulControlPlane> {
    const { httpAddr = '', grpcAddr = '', caPem = '', folder = '' } = consul ?? {};
    const certificates = { source: 'sign', grpcAddress: grpcAddr, grpcCaPem: caPem, grpcServerName: serverName } as const;
    const tokenFile = join(folder, token);
    const plane = await connectConsul({ address: httpAddr, caPem, tokenFile, certificates, clock: systemClock, random: systemRandom, log: silentLog });
    planes.push(plane);
    return plane;
  }

  it('keeps its secrets in files that nobody else can read', async () => {
    const { folder = '' } = consul ?? {};
    const secrets = ['bootstrap-token', 'consul-agent-ca-key.pem', 'etc/agent-key.pem', 'etc/agent-token.hcl', 'tokens/order', 'tokens/operator'];
    for (const path of secrets) {
      expect((await readFile(join(folder, path), 'utf8')).trim(), path).to.not.equal('');
      expect((await stat(join(folder, path))).mode & 0o077, path).to.equal(0);
    }
  });

  it('gives each service an identity, takes its registration, and shows it who may call it', async () => {
    const calls = await declaredCalls();
    await Promise.all(MODULE_NAMES.map(async (name) => {
      const plane = await openAs(`tokens/${name}`);
      const identity = await plane.certificates.identity(name);
      expect(identity.leaf().spiffeId).to.match(new RegExp(`/dc/dc1/svc/${name}$`));
      await plane.register(registration(name, `${name}-1`, 1));
      const intentions: readonly Intention[] = await firstValue((onIntentions, onError) => plane.intentions.watch(name, { onIntentions, onError }));
      expect(intentions.map(({ source }) => source)).to.have.members([...calls.filter(({ called }) => called === name).map(({ caller }) => caller), OPERATOR]);
    }));
    const operator = await openAs('tokens/operator');
    expect(new Set((await operator.listInstances()).map(({ service }) => service))).to.deep.equal(new Set(MODULE_NAMES));
  });

  it('lets those calls through that are declared, and no others, by our evaluator and by Consul\'s', async () => {
    const operator = await openAs('tokens/operator');
    const defaultAction = await operator.intentions.defaultAction();
    expect(defaultAction).to.equal('deny');
    const ours = createIntentions(await operator.intentions.list(), defaultAction ?? 'allow');
    const declared = new Map((await declaredCalls()).map(({ caller, called, paths }) => [`${caller} ${called}`, paths]));
    const pairs = [...MODULE_NAMES, OPERATOR, 'explorer', 'stranger'].flatMap((source) => MODULE_NAMES.map((destination) => ({ source, destination })));
    const asked = pairs.map(({ source, destination }) => consul?.get<{ readonly Allowed: boolean }>(`/v1/connect/intentions/check?source=${source}&destination=${destination}`));
    const theirs = (await Promise.all(asked)).map((answer) => answer?.Allowed);
    const pathsOf = ({ source, destination }: (typeof pairs)[number]): readonly string[] | undefined => declared.get(`${source} ${destination}`);
    const isWhole = pairs.map((pair) => pair.source === OPERATOR || (declared.has(`${pair.source} ${pair.destination}`) && !pathsOf(pair)));
    expect(pairs.map(({ source, destination }) => ours.check(source, destination, call).allowed)).to.deep.equal(isWhole);
    // Consul's own answer is about every call of a pair.
    expect(theirs).to.deep.equal(isWhole);
    const forTokens = pairs.filter(pathsOf).map((pair) => [pair.source, ...TOKEN_PATHS.map((path) => ours.check(pair.source, pair.destination, intentionRequest(path, {})).allowed)]);
    expect(forTokens).to.have.deep.members(['user', 'product', 'inventory', 'payment', 'shipping'].map((source) => [source, true, true, false]));
    // It is the default that keeps the others out.
    expect(createIntentions(await operator.intentions.list(), 'allow').check('stranger', 'order', call).allowed).to.equal(true);
    expect(isWhole.filter(Boolean).length + forTokens.length).to.equal(declared.size + MODULE_NAMES.length);
  });

  it('lets a foreign program join by the commands of docs/joining-the-mesh.md', async () => {
    const { folder = '' } = consul ?? {};
    const [policy = '', certificate = ''] = await commandsOf('docs/joining-the-mesh.md');
    await consul?.run(`${policy}\n${certificate}`);
    const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
    const trust = (await (await openAs('tokens/storefront')).certificates.identity('storefront')).trust();
    expect(await read('mesh-roots.pem')).to.contain(trust.roots[0]?.trim());
    const chain = readChain(await read('storefront.pem'));
    expect(peerService(chain, trust, systemClock.now())).to.have.nested.property('id.service', 'storefront');
    expect(chain[0]?.checkPrivateKey(createPrivateKey(await read('storefront-key.pem')))).to.equal(true);
    expect(chain[0]?.checkHost('storefront.service.consul')).to.equal('storefront.service.consul');
    // Why the page says that a DNS name alone is weaker: nobody holds a service to its own.
    await consul?.run(certificate.replace('DNS:storefront,', 'DNS:payment,'));
    const [other] = readChain(await read('storefront.pem'));
    expect(other?.checkHost('payment')).to.equal('payment');
    const sibling = await consul?.run(certificate.replace('/svc/storefront', '/svc/payment')).catch((error: unknown) => error);
    expect(String(sibling)).to.contain('PermissionDenied');
  });

  it('shows its clock to `mesh doctor`', async () => {
    const { httpAddr = '', folder = '' } = consul ?? {};
    const environment = { ...inherited(), CONSUL_HTTP_ADDR: httpAddr, CONSUL_CACERT: join(folder, 'consul-agent-ca.pem'), CONSUL_HTTP_TOKEN_FILE: join(folder, 'tokens/operator') };
    const { stdout } = await meshHere(['doctor'], environment);
    expect(stdout).to.contain('this machine\'s clock is within 1 s of that of Consul');
  });

  it('says nothing in clear text, and proves itself', async () => {
    const { httpAddr = '', grpcAddr = '', folder = '' } = consul ?? {};
    const deps = { clock: systemClock, random: systemRandom, log: silentLog };
    const plain = await connectConsul({ address: httpAddr.replace('https', 'http'), ...deps }).catch((error: unknown) => error);
    expect(plain).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
    const unknown = await connectConsul({ address: httpAddr, ...deps }).catch((error: unknown) => error);
    expect(unknown, 'its authority is not one that Node knows').to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
    const certificates = { source: 'sign', grpcAddress: grpcAddr } as const;
    const unverified = await connectConsul({ address: httpAddr, caPem: consul?.caPem ?? '', tokenFile: join(folder, 'tokens/order'), certificates, ...deps });
    planes.push(unverified);
    const refused: unknown = await unverified.certificates.identity('order', AbortSignal.timeout(1_000)).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Error);
    expect(unverified.certificates.counts().failures).to.be.above(0);
  });
});
