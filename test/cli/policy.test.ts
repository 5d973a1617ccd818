import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { connectConsul, type PolicyStore } from '#discovery';
import { type Stoppable, silentLog, systemClock, systemRandom } from '#kit';

import { whoAmI } from '../../cli/who-am-i.ts';
import { type ConsulServer, startEmbedded } from '../discovery/support/consul-server.ts';
import { meshHere } from './support/in-process.ts';
import type { Finished } from './support/mesh-command.ts';
import { type Environment, inherited } from './support/shop-folder.ts';

describe('mesh policy', function () {
  this.timeout(20_000);
  let folder: string;
  let agent: ConsulServer;
  let controlPlane: Stoppable & { readonly policies: PolicyStore };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-policy-'));
    agent = await startEmbedded();
    controlPlane = await connectConsul({ address: agent.httpAddr, clock: systemClock, random: systemRandom, log: silentLog });
  });
  after(async () => {
    await controlPlane.stop();
    await agent.stop();
    await rm(folder, { recursive: true });
  });
  afterEach(async () => {
    for (const { target } of await list()) await policy(['delete', target]);
  });

  const policy = (args: readonly string[], more: Environment = {}): Promise<Finished> =>
    meshHere(['policy', ...args], { ...inherited(), MESH_DATA_DIR: join(folder, 'data'), CONSUL_HTTP_ADDR: agent.httpAddr, ...more });
  async function ok(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await policy(args);
    expect(exitCode, stderr).to.equal(0);
    return stdout;
  }
  const list = async () => JSON.parse(await ok('list', '--json')) as { target: string; document?: Record<string, unknown>; problem?: string }[];
  async function numbers(target: string): Promise<Map<string, { value: unknown; origin: string }>> {
    const shown = JSON.parse(await ok('show', target, '--json')) as { name: string; value: unknown; origin: string }[];
    return new Map(shown.map(({ name, ...rest }) => [name, rest]));
  }

  it('shows where every number comes from', async () => {
    await ok('set', '*', '{"retries":{"maxAttempts":5,"baseMs":10}}', '--for', '2h', '--reason', 'flaky switch');
    await ok('set', 'order.PlaceOrder', '{"retries":{"maxAttempts":2}}');
    const stdout = await ok('show', 'order.PlaceOrder');
    const username = whoAmI();
    expect(stdout).to.match(/^NUMBER +VALUE +FROM$/m);
    expect(stdout).to.match(new RegExp(`^retries.maxAttempts +2 +document order.PlaceOrder \\(${username}\\)$`, 'm'));
    expect(stdout).to.match(new RegExp(`^retries.baseMs +10 +document \\* \\(${username}, for (2 h|119 min)\\)$`, 'm'));
    expect(stdout).to.match(/^retries.perTryTimeoutMs +none +default$/m);
    const order = await numbers('order');
    expect(order.get('retries.maxAttempts')).to.deep.equal({ value: 5, origin: 'document *' });
    expect(order.get('budget.percent')).to.deep.equal({ value: 20, origin: 'default' });
  });

  it('shows what MESH_POLICY says, below every document', async () => {
    const settings = { MESH_POLICY: '{"order": {"retries": {"maxAttempts": 4, "maxMs": 50}}}' };
    await ok('set', '*', '{"retries":{"maxAttempts":5}}');
    const { stdout } = await policy(['show', 'order'], settings);
    expect(stdout).to.match(/^retries.maxAttempts +5 +document \* /m).and.match(/^retries.maxMs +50 +setting order$/m);
    expect((await policy(['show', 'order'], { MESH_POLICY: '[]' })).stderr).to.include('MESH_POLICY: it must be a JSON object').and.include('INVALID_SETTING');
  });

  it('knows who set what, until when and why', async () => {
    await ok('set', 'inventory', '{"circuit":{"maxInFlight":50},"retries":{"codes":["UNAVAILABLE","ABORTED"]}}', '--for', '90s', '--reason', 'new switch');
    expect(await ok('list')).to.match(/^inventory +retries.codes UNAVAILABLE, ABORTED; circuit.maxInFlight 50 +(90|89) s +\S+ +new switch$/m);
    const [only] = await list();
    expect(only?.document).to.include({ owner: whoAmI(), reason: 'new switch' }).and.to.have.keys('owner', 'reason', 'circuit', 'retries', 'createTime', 'expireTime');
  });

  it('is set by whom the flag names, else by the owner in the document', async () => {
    await ok('set', 'order', '{"owner":"bob","hedging":{"enabled":false}}', '--by', 'ada');
    await ok('set', 'user', '{"owner":"bob","hedging":{"enabled":false}}');
    expect((await list()).map(({ document }) => document?.['owner'])).to.deep.equal(['ada', 'bob']);
  });

  it('takes the cap of calls in flight away with 0, and leaves the open state on', async () => {
    await ok('set', 'order', '{"circuit":{"maxInFlight":0}}');
    expect(await ok('show', 'order')).to.match(/^circuit.enabled +true +default$/m).and.match(/^circuit.maxInFlight +none +document order /m);
    expect((await numbers('order')).get('circuit.maxInFlight')?.value).to.equal(0);
  });

  it('sweeps documents that have expired with the next one that is set', async () => {
    await controlPlane.policies.put('mesh/policy/user', '{"owner":"ada","hedging":{"enabled":false},"expireTime":"2020-01-01T00:00:00Z"}');
    expect(await ok('list')).to.match(/^user .* over +ada/m);
    await ok('set', 'order', '{"hedging":{"enabled":false}}');
    expect((await list()).map(({ target }) => target)).to.deep.equal(['order']);
  });

  it('puts a document in the place of the one before it', async () => {
    await ok('set', 'order', '{"retries":{"maxAttempts":5}}');
    await ok('set', 'order', '{"hedging":{"enabled":false}}');
    const order = await numbers('order');
    expect([order.get('retries.maxAttempts')?.value, order.get('hedging.enabled')?.value]).to.deep.equal([3, false]);
  });

  it('says which numbers of the one before it hold no more, and nothing where none is lost', async () => {
    await ok('set', 'order', '{"retries":{"enabled":false,"maxMs":50}}');
    expect(await ok('set', 'order', '{"hedging":{"enabled":false},"retries":{"maxMs":60}}')).to.match(/^in place of: retries\.enabled false$/m);
    expect(await ok('set', 'order', '{"hedging":{"enabled":true},"retries":{"maxMs":60}}')).to.not.include('in place of');
  });

  const misplaced: readonly [setting: string, says: string][] = [
    ['{"ordr": {"hedging": {"enabled": false}}}', 'MESH_POLICY: ordr: there is no service ordr; did you mean order?'],
    ['{"order.PlaceOder": {"hedging": {"enabled": false}}}', 'MESH_POLICY: order.PlaceOder: order has no method PlaceOder; did you mean order.PlaceOrder?'],
    ['{"order.placeorder": {"hedging": {"enabled": false}}}', 'MESH_POLICY: order.placeorder: write it order.PlaceOrder'],
    ['{"order.PlaceOrder": {"budget": {"percent": 5}}}', 'MESH_POLICY: order.PlaceOrder: budget holds for all methods of a service'],
    ['{"order": {}}', 'MESH_POLICY: order: the document sets nothing'],
  ];
  for (const [MESH_POLICY, says] of misplaced) {
    it(`refuses MESH_POLICY=${MESH_POLICY}, also at a start`, async () => {
      for (const args of [['policy', 'show', 'order'], ['config'], ['up'], ['serve', 'user']]) {
        const { exitCode, stdout, stderr } = await meshHere(args, { ...inherited(), MESH_DATA_DIR: join(folder, 'data'), CONSUL_HTTP_ADDR: agent.httpAddr, MESH_POLICY });
        expect({ exitCode, stdout }, args.join(' ')).to.deep.equal({ exitCode: 1, stdout: '' });
        expect(stderr, args.join(' ')).to.include(says).and.include('INVALID_SETTING');
      }
    });
  }

  it('finds a method however it is written, and reads the document from a file', async () => {
    const file = join(folder, 'policy.json');
    await writeFile(file, '{"retries":{"perTryTimeoutMs":200}}');
    expect(await ok('set', 'order.placeorder', `@${file}`)).to.include('order.PlaceOrder: retries.perTryTimeoutMs 200');
    expect((await numbers('order.PlaceOrder')).get('retries.perTryTimeoutMs')?.value).to.equal(200);
  });

  it('deletes, also what is not there', async () => {
    await ok('set', 'order', '{"retries":{"maxAttempts":5}}');
    expect(await ok('delete', 'order')).to.equal('deleted: order\n');
    expect(await ok('delete', 'order')).to.equal('there is no document for order\n');
    await ok('set', 'order.PlaceOrder', '{"retries":{"maxAttempts":5}}');
    expect(await ok('delete', 'order.placeorder')).to.equal('deleted: order.PlaceOrder\n');
    await controlPlane.policies.put('mesh/policy/of-old', '{"owner":"ada"}');
    expect(await ok('delete', 'of-old')).to.equal('deleted: of-old\n');
    expect(await ok('list')).to.equal('there are none: settings and defaults hold\n');
  });

  it('says of what somebody else has written badly that it cannot be used', async () => {
    await controlPlane.policies.put('mesh/policy/order', '{"owner":"ada","retry":{}}');
    expect(await ok('list')).to.match(/^order +cannot be used: there is no field retry; /m);
    expect((await numbers('order')).get('retries.maxAttempts')?.origin).to.equal('default');
  });

  const refused: readonly [args: readonly string[], says: string][] = [
    [['show', 'ordr'], 'there is no service ordr; did you mean order?'],
    [['show', 'order.PlaceOder'], 'order has no method PlaceOder; did you mean order.PlaceOrder? (its methods are '],
    [['show', 'Order/x'], 'write it like order, or order.PlaceOrder, or * for every service'],
    [['delete', 'ordr'], 'there is no service ordr; did you mean order?'],
    [['delete', 'order.PlaceOder'], 'order has no method PlaceOder; did you mean order.PlaceOrder?'],
    [['set', 'order', '{'], 'it is not JSON'],
    [['set', 'order', '{}'], 'the document sets nothing'],
    [['set', 'order', '@/nowhere/policy.json'], 'cannot read the document from /nowhere/policy.json'],
    [['set', 'order', '{"retry":{}}'], 'there is no field retry; the fields are owner, '],
    [['set', 'order', '{"retries":{"maxAttempts":50}}'], 'retries.maxAttempts: must be greater than or equal to 1 and less than or equal to 10'],
    [['set', 'order.PlaceOrder', '{"budget":{"percent":5}}'], 'set it for order, not for order.PlaceOrder'],
    [['set', 'order', '{"hedging":{"enabled":false},"expireTime":"2020-01-01T00:00:00Z"}'], 'the document has expired'],
  ];
  for (const [args, says] of refused) {
    it(`refuses \`mesh policy ${args.join(' ')}\` and says why`, async () => {
      const { exitCode, stdout, stderr } = await policy(args);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
      expect(stderr).to.include(says).and.match(/\((INVALID_ARGUMENT|NOT_FOUND, UNKNOWN_SERVICE|UNIMPLEMENTED, UNKNOWN_METHOD)\)$/m);
      expect(await list()).to.deep.equal([]);
    });
  }

  it('takes a time that is none for a misuse', async () => {
    for (const time of ['soon', '10ms', '-1h']) {
      const { exitCode, stderr } = await policy(['set', 'order', '{}', `--for=${time}`]);
      expect(exitCode).to.equal(2);
      expect(stderr).to.include('It is a time span of a second or more');
    }
  });
});
