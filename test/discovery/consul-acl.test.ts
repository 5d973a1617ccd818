import { expect } from 'chai';
import { connectConsul, type ConsulControlPlane } from '#discovery';
import { systemClock, systemRandom } from '#kit';

import { type Consul, startConsul } from '../backends/consul.ts';
import { locateBackend } from '../backends/locate.ts';
import { type Backend, startBackend } from './support/backend.ts';
import { registration } from './support/instances.ts';
import { createMemoryLog } from './support/memory-log.ts';
import { until } from './support/until.ts';

const management = '11111111-2222-3333-4444-555555555555';
const reader = '66666666-7777-8888-9999-aaaaaaaaaaaa';
// The default token is for requests without one, such as the question whether Consul is ready.
const tokens = `tokens { initial_management = "${management}", default = "${management}" }`;
const acl = `acl { enabled = true, default_policy = "deny", ${tokens} }`;

describe('a token that loses its right', function () {
  this.timeout(60_000);
  let consul: Consul | undefined;
  let backend: Backend;
  const planes: ConsulControlPlane[] = [];

  before(async function () {
    const isMissing = (await locateBackend('consul')) === undefined;
    if (isMissing && process.env['CI'] !== 'true') this.skip();
    consul = await startConsul({ args: ['-hcl', acl] });
    backend = await startBackend('a');
  });
  after(async () => {
    await Promise.all(planes.map((plane) => plane.stop()));
    await backend?.stop();
    await consul?.stop();
  });

  async function open(token: string) {
    const memory = createMemoryLog();
    const deps = { clock: systemClock, random: systemRandom, log: memory.log };
    const plane = await connectConsul({ address: consul?.httpAddr ?? '', token, ...deps, emptyHoldMs: 500, waitMs: 500 });
    planes.push(plane);
    return { plane, memory };
  }

  async function manage(method: string, path: string, body: object): Promise<void> {
    const headers = { 'x-consul-token': management, connection: 'close' };
    const answer = await fetch(`${consul?.httpAddr}/v1/acl/${path}`, { method, headers, body: JSON.stringify(body) });
    expect(answer.status, await answer.text()).to.equal(200);
  }

  it('does not empty the list, and says what is missing', async () => {
    const rules = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }';
    const policy = { Name: 'reader', Rules: rules };
    const headers = { 'x-consul-token': management, connection: 'close' };
    const made = await fetch(`${consul?.httpAddr}/v1/acl/policy`, { method: 'PUT', headers, body: JSON.stringify(policy) });
    const { ID } = (await made.json()) as { ID: string };
    await manage('PUT', 'token', { SecretID: reader, Policies: [{ ID }] });

    const owner = await open(management);
    await owner.plane.register(registration('inventory', 'a', backend.port));
    const { plane, memory } = await open(reader);
    const lists: number[] = [];
    plane.watchInstances('inventory', { onInstances: (list) => void lists.push(list.length), onError: () => undefined });
    await until('a is there', () => lists.at(-1) === 1, 10_000);

    await manage('PUT', `policy/${ID}`, { ...policy, ID, Rules: 'node_prefix "" { policy = "read" }' });
    await until('it is said', () => memory.lines('Consul refuses').length === 1, 10_000);
    // Longer than the hold: a list that was taken for empty would have expired.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(lists).to.deep.equal([1]);
    expect(memory.text()).to.contain('CONSUL_HTTP_TOKEN');

    await manage('PUT', `policy/${ID}`, { ...policy, ID });
    await until('it is over', () => memory.lines('no longer refuses').length === 1, 10_000);
    expect(lists).to.deep.equal([1]);
    expect(memory.text()).to.not.contain(reader);
    const denied = await plane.register(registration('inventory', 'b', backend.port)).catch((error: unknown) => error);
    expect(denied).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
    expect(String(denied)).to.contain('403').and.to.contain('CONSUL_HTTP_TOKEN');
  });
});
