import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { connectConsul, type ConsulControlPlane } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';

import { type Consul, startConsul } from '../backends/consul.ts';
import { locateBackend } from '../backends/locate.ts';
import { type Acl, createAcl, readPolicyFile } from './support/acl.ts';
import { type Backend, startBackend } from './support/backend.ts';
import { registration } from './support/instances.ts';
import { createMemoryLog } from './support/memory-log.ts';
import { until } from './support/until.ts';

const management = '11111111-2222-3333-4444-555555555555';
const DOCUMENT = 'mesh/policy/order.PlaceOrder';

describe('a service whose token is taken away', function () {
  this.timeout(90_000);
  let consul: Consul;
  let acl: Acl;
  let backend: Backend;
  let owner: ConsulControlPlane;
  let folder: string;
  const planes: ConsulControlPlane[] = [];
  before(async function () {
    const isMissing = (await locateBackend('consul')) === undefined;
    if (isMissing && process.env['CI'] !== 'true') this.skip();
    [consul, backend] = await Promise.all([startConsul({ managementToken: management }), startBackend('order')]);
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-token-test-'));
    acl = createAcl(consul.httpAddr, management);
    owner = await connectConsul({ ...common(), token: management, log: silentLog });
    planes.push(owner);
    await owner.register(registration('payment', 'payment-1', backend.port));
    await owner.intentions.set({ source: 'shipping', destination: 'order', rule: { kind: 'action', action: 'allow' }, description: '' });
    await owner.policies.put(DOCUMENT, '{}');
  });
  after(async () => {
    await Promise.all(planes.map((plane) => plane.stop()));
    await Promise.all([consul?.stop(), backend?.stop()]);
    if (folder) await rm(folder, { recursive: true });
  });

  const common = () => ({
    address: consul.httpAddr,
    clock: systemClock,
    random: systemRandom,
    certificates: { source: 'sign', grpcAddress: consul.grpcAddr, rotationSpreadMs: 100 } as const,
    ...{ emptyHoldMs: 200, reconcileMs: 300, waitMs: 500 },
  });

  /** Everything that order does with the control plane, and what it has heard so far. */
  async function startOrder(instanceId: string) {
    await acl.policy('order', await readPolicyFile('order'));
    const first = await acl.token('order');
    const tokenFile = join(folder, instanceId);
    await writeFile(tokenFile, `${first.secret}\n`);
    const memory = createMemoryLog();
    const plane = await connectConsul({ ...common(), tokenFile, log: memory.log });
    planes.push(plane);
    await plane.register(registration('order', instanceId, backend.port));
    const heard: Record<'instances' | 'intentions' | 'policies', number[]> = { instances: [], intentions: [], policies: [] };
    const onError = (): void => undefined;
    plane.watchInstances('payment', { onInstances: ({ length }) => void heard.instances.push(length), onError });
    plane.intentions.watch('order', { onIntentions: ({ length }) => void heard.intentions.push(length), onError });
    plane.policies.watch('mesh/', { onPolicies: ({ length }) => void heard.policies.push(length), onError });
    const identity = await plane.certificates.identity('order');
    const all = { instances: [1], intentions: [1], policies: [1] };
    await until('all is heard', () => Object.values(heard).every(({ length }) => length === 1));
    return { plane, first, tokenFile, memory, heard, all, identity };
  }

  /** Whether the servers believe that it is well; undefined: they do not know it. */
  async function isHealthy(id: string): Promise<boolean | undefined> {
    return (await owner.listInstances()).find((instance) => instance.id === id)?.healthy;
  }

  it('goes on with what it heard last, says once what each thing lacks, and recovers when its rights are back', async () => {
    const { plane, memory, heard, all, identity } = await startOrder('order-rights');
    const leaf = identity.leaf();
    await acl.policy('order', 'node_prefix "" { policy = "read" }');
    // Registration, instances, intentions, policies.
    await until('each right that is missing is said', () => memory.lines('Consul refuses').length >= 4, 10_000);
    expect(heard).to.deep.equal(all);
    expect(identity.leaf()).to.equal(leaf);
    for (const missing of ['service payment', 'lacks permission \'intention:read\' on \\"order\\"', 'the policies under', 'CONSUL_HTTP_TOKEN_FILE']) expect(memory.text()).to.contain(missing);

    await owner.policies.put('mesh/policy/order.GetOrder', '{}');
    await acl.policy('order', await readPolicyFile('order'));
    await until('it goes on', () => heard.policies.at(-1) === 2 && memory.lines('no longer refuses').length > 0, 20_000);
    expect([heard.instances, heard.intentions]).to.deep.equal([[1], [1]]);
    // Nobody tells a thing twice, however long it lasts.
    const refusals = memory.lines('Consul refuses').length;
    expect(refusals).to.equal(new Set(reasonsOf(memory.text())).size);
    expect(await isHealthy('order-rights')).to.equal(true);
    await owner.policies.delete('mesh/policy/order.GetOrder');
    await plane.stop();
  });

  it('takes the next token from its file, and tells the servers of its health with that one', async () => {
    const { plane, first, tokenFile, memory, heard, all, identity } = await startOrder('order-file');
    const leaf = identity.leaf();
    await until('the servers know it', async () => (await isHealthy('order-file')) === true);
    await first.revoke();
    await until('it is said', () => memory.lines('Consul refuses').length > 0, 10_000);
    expect(memory.text()).to.contain('was deleted or has expired').and.to.contain('CONSUL_HTTP_TOKEN_FILE');
    const refused: unknown = await plane.policies.get(DOCUMENT).catch((error: unknown) => error);
    expect(refused).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
    expect(heard).to.deep.equal(all);
    expect(identity.leaf()).to.equal(leaf);

    // What the agent knows of its health it can tell nobody with a token that is gone.
    backend.setServing(false);
    await until('the agent knows', async () => (await agentSays('order-file')) === 'critical', 15_000);
    expect(await isHealthy('order-file'), 'the servers still believe what they heard last').to.equal(true);

    const second = await acl.token('order');
    await writeFile(tokenFile, second.secret);
    await until('it goes on', () => memory.lines('no longer refuses').length > 0, 20_000);
    await until('the agent has the new token', () => memory.lines('registered this instance again').length > 0);
    // What it could not tell it tells with its next full comparison, within about a minute; what changes now, at once.
    backend.setServing(true);
    await until('the agent knows that it is well', async () => (await agentSays('order-file')) === 'passing', 15_000);
    backend.setServing(false);
    await until('the servers know that it is not', async () => (await isHealthy('order-file')) === false, 15_000);
    // What was signed for the old token is as good as before.
    expect(identity.leaf()).to.equal(leaf);
    expect(memory.text()).to.not.contain(first.secret).and.to.not.contain(second.secret);
    await plane.stop();
    await until('it is gone', async () => (await isHealthy('order-file')) === undefined);
  });

  async function agentSays(id: string): Promise<string | undefined> {
    const answer = await fetch(`${consul.httpAddr}/v1/agent/checks`, { headers: { 'x-consul-token': management, connection: 'close' } });
    // Documented shape.
    const checks = Object.values((await answer.json()) as Record<string, { readonly ServiceID: string; readonly Status: string }>);
    return checks.find(({ ServiceID }) => ServiceID === id)?.Status;
  }
});

/** The sentences of the refusals that were logged. */
function reasonsOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.includes('Consul refuses'));
  // What the log writes.
  return lines.map((line) => (JSON.parse(line) as { readonly reason: string }).reason);
}
