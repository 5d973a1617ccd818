import { join } from 'node:path';

import { expect } from 'chai';

import { MODULE_NAMES } from '#modules';
import { SIMULATOR_KEY } from '#stripe-simulator';

import { locateBackend } from '../backends/locate.ts';
import { createTestDatabase, type TestDatabase } from '../database/postgres-fixture.ts';
import { until } from '../discovery/support/until.ts';
import { type SimulatorFixture, startSimulatorFixture } from '../payment/simulator/simulator-fixture.ts';
import { projectRoot } from './compose-file.ts';
import { placeFirstOrder } from './first-order.ts';
import type { MeshCall } from './mesh-call.ts';
import { type ProductionConsul, startProductionConsul } from './production-consul.ts';
import { type Program, runProgram, startProgram } from './program.ts';
import { type Buyer, signUp } from './sign-up.ts';

const MESH = 'cli/mesh.js';

describe('the shop on a Consul that was set up as docs/security.md says', function () {
  this.timeout(120_000);
  let consul: ProductionConsul;
  let database: TestDatabase;
  let cards: SimulatorFixture | undefined;
  let buyer: Buyer;
  let programs: readonly Program[] = [];
  before(async function () {
    const isMissing = (await Promise.all([locateBackend('consul'), locateBackend('grpcurl')])).includes(undefined);
    if (isMissing && process.env['CI'] !== 'true') this.skip();
    [consul, database, cards] = await Promise.all([startProductionConsul(), createTestDatabase(), startSimulatorFixture()]);
    await mesh('operator', 'migrate');
    programs = MODULE_NAMES.map((name) => startProgram(meshProgram(name, 'serve', name, '--port', '0')));
  });
  after(async () => {
    await Promise.all(programs.map((program) => program.stop()));
    await cards?.remove();
    await consul?.stop();
  });

  /** What the buyer alone may ask the user service, which verifies the token by itself. */
  async function askForBuyer(): Promise<string> {
    return call('user.GetUser', JSON.stringify({ userId: buyer.userId }), '--header', `authorization: Bearer ${buyer.token}`);
  }

  /** The `mesh` command with the settings of step 6, as the holder of this token. */
  function meshProgram(token: string, ...args: readonly string[]) {
    const { httpAddr, grpcAddr, folder } = consul;
    const authority = join(folder, 'consul-agent-ca.pem');
    const env = {
      ...{ PATH: process.env['PATH'] ?? '', HOME: folder, MESH_DATA_DIR: join(folder, 'data-of', token), OTEL_TRACES_EXPORTER: 'none', MESH_MAIL_DIR: join(folder, 'mails') },
      ...{ CONSUL_HTTP_ADDR: httpAddr, CONSUL_CACERT: authority, CONSUL_HTTP_TOKEN_FILE: join(folder, 'tokens', token) },
      ...{ MESH_CERTIFICATES: 'sign', CONSUL_GRPC_ADDR: grpcAddr, CONSUL_GRPC_CACERT: authority, CONSUL_TLS_SERVER_NAME: 'server.dc1.consul' },
      ...{ MESH_INTENTIONS_DEFAULT: 'deny', MESH_MIGRATE: 'false', DATABASE_URL: database.url, STRIPE_API_KEY: SIMULATOR_KEY, MESH_STRIPE_URL: cards?.url() ?? '' },
    };
    return { command: process.execPath, args: [MESH, ...args], cwd: projectRoot, env, scratch: folder };
  }

  const mesh = (token: string, ...args: readonly string[]): Promise<string> => runProgram(meshProgram(token, ...args));
  const call: MeshCall = (method, request, ...flags) => mesh('operator', 'call', method, request, '--json', ...flags);

  async function untilHealthy(): Promise<void> {
    const healthy = async (): Promise<number> => (await mesh('operator', 'ps')).match(/ passing /g)?.length ?? 0;
    await until('all are healthy', async () => (await healthy()) === MODULE_NAMES.length, 40_000);
  }

  it('takes an order through every service, each with its own token and certificate', async () => {
    await untilHealthy();
    buyer = await signUp(call, join(consul.folder, 'mails'));
    expect((await placeFirstOrder(call, buyer)).state).to.equal('ORDER_STATE_CONFIRMED');
    expect(await askForBuyer()).to.contain('"displayName"');
  });

  it('refuses a call that nobody declared, and says why', async () => {
    expect(await mesh('operator', 'why', 'product', 'payment.Charge')).to.contain('product may not call payment.Charge').and.to.contain('the default, deny');
    await mesh('operator', 'intentions', 'deny', 'order', 'product');
    const refused: unknown = await placeFirstOrder(call, buyer).catch((error: unknown) => error);
    expect(String(refused)).to.contain('INTENTION_DENIED').and.to.contain('order => product');
    await mesh('operator', 'intentions', 'allow', 'order', 'product');
  });

  it('goes on taking orders while order has lost every right', async () => {
    await consul.run('consul acl policy update -name=shopmesh-order -rules=\'node_prefix "" { policy = "read" }\' > /dev/null');
    const order = programs[MODULE_NAMES.indexOf('order')];
    await until('order says so', () => order?.output().includes('Consul refuses what is asked') === true, 20_000);
    expect((await placeFirstOrder(call, buyer)).state).to.equal('ORDER_STATE_CONFIRMED');
    await consul.run('consul acl policy update -name=shopmesh-order -rules=@deploy/consul/policies/order.hcl > /dev/null');
    await until('order says that it is over', () => order?.output().includes('Consul no longer refuses') === true, 40_000);
  });

  it('takes an order in one process, with the policies of all services in one token', async () => {
    await Promise.all(programs.map((program) => program.stop()));
    const policies = MODULE_NAMES.map((name) => `-policy-name=shopmesh-${name}`).join(' ');
    await consul.run(`consul acl token create ${policies} -format=json | secret > tokens/monolith`);
    const { env, ...plan } = meshProgram('monolith', 'serve', ...MODULE_NAMES);
    const ports = Object.fromEntries(MODULE_NAMES.map((name) => [`MESH_PORT_${name.toUpperCase()}`, '0']));
    programs = [startProgram({ ...plan, env: { ...env, ...ports } })];
    await untilHealthy();
    expect(await askForBuyer()).to.contain('"displayName"');
    expect((await placeFirstOrder(call, buyer)).state).to.equal('ORDER_STATE_CONFIRMED');
  });
});
