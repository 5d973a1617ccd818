import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { create, toBinary } from '@bufbuild/protobuf';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect } from 'chai';

import { connectConsul, type ControlPlane } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';
import { GetInstanceResponseSchema, InstanceService } from '#proto/mesh/v1/instance_pb.js';

import { whoAmI } from '../../cli/who-am-i.ts';
import { type ConsulServer, startEmbedded } from '../discovery/support/consul-server.ts';
import { meshHere } from './support/in-process.ts';
import type { Finished } from './support/mesh-command.ts';
import { inherited } from './support/shop-folder.ts';

interface Order {
  readonly target: string;
  readonly percent: number;
  readonly delayMs: number;
  readonly abort?: string;
  readonly expireTime: string;
  readonly owner: string;
  readonly reason: string;
}

/** Payment allows faults in one of its two instances, order in none; user has no instance that answers. */
describe('mesh fault, of instances that only say whether they allow it', function () {
  this.timeout(20_000);
  let folder: string;
  let agent: ConsulServer;
  let controlPlane: ControlPlane;
  const servers: Server[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-fault-'));
    agent = await startEmbedded();
    controlPlane = await connectConsul({ address: agent.httpAddr, clock: systemClock, random: systemRandom, log: silentLog });
    await run('payment', 'payment-1', true);
    await run('payment', 'payment-2', false);
    await run('order', 'order-1', false);
  });
  after(async () => {
    await controlPlane.stop();
    await agent.stop();
    for (const server of servers) server.forceShutdown();
    await rm(folder, { recursive: true });
  });
  afterEach(() => fault('clear'));

  async function run(service: string, instanceId: string, faultsAllowed: boolean): Promise<void> {
    const server = new Server();
    const bytes = (message: Buffer): Buffer => message;
    const answer = Buffer.from(toBinary(GetInstanceResponseSchema, create(GetInstanceResponseSchema, { instanceId, faultsAllowed })));
    const path = `/${InstanceService.typeName}/GetInstance`;
    server.addService(
      { getInstance: { path, requestStream: false, responseStream: false, requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes } },
      { getInstance: (_call: unknown, done: (error: null, value: Buffer) => void) => done(null, answer) },
    );
    const { chainPem, privateKey } = (await controlPlane.certificates.identity(service)).leaf();
    const pair = { cert_chain: Buffer.from(chainPem), private_key: Buffer.from(privateKey.export({ format: 'pem', type: 'pkcs8' })) };
    const door = ServerCredentials.createSsl(null, [pair]);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', door, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    servers.push(server);
    await controlPlane.register({ service, id: instanceId, address: '127.0.0.1', port, version: '1', zone: 'local', metadata: {}, healthService: '' });
  }

  const fault = (...args: string[]): Promise<Finished> => meshHere(['fault', ...args], { ...inherited(), MESH_DATA_DIR: join(folder, 'data'), CONSUL_HTTP_ADDR: agent.httpAddr });
  async function ok(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await fault(...args);
    expect(exitCode, stderr).to.equal(0);
    return stdout;
  }
  const list = async () => JSON.parse(await ok('list', '--json')) as Order[];

  it('orders it for a while, with who and why', async () => {
    const before = Date.now();
    const stdout = await ok('payment.Charge', '--delay', '2s', '--abort', 'UNAVAILABLE', '--percent', '30', '--for', '10m', '--reason', 'game day');
    expect(stdout).to.match(/^payment\.Charge: 30 % of the calls wait 2 s and fail with UNAVAILABLE, for (10|9) min\nend it sooner with `npx mesh fault clear payment\.Charge`\n$/);
    const [only, ...others] = await list();
    expect(others).to.deep.equal([]);
    expect(only).to.include({ target: 'payment.Charge', percent: 30, delayMs: 2_000, abort: 'UNAVAILABLE', owner: whoAmI(), reason: 'game day' });
    expect(Date.parse(only?.expireTime ?? '')).to.be.within(before + 600_000, Date.now() + 600_000);
    expect(await ok('list')).to.match(/^payment\.Charge +30 % of the calls wait 2 s and fail with UNAVAILABLE +(10|9) min +\S+ +game day$/m);
  });

  it('is ordered by whom the flag names', async () => {
    await ok('payment', '--delay', '250ms', '--by', 'ada');
    expect((await list()).map(({ owner }) => owner)).to.deep.equal(['ada']);
  });

  it('hits every call for five minutes where nothing else is said', async () => {
    expect(await ok('payment', '--delay', '250ms')).to.match(/^payment: every call waits 250 ms, for (5|4) min$/m);
    expect((await list())[0]).to.include({ target: 'payment', percent: 100 }).and.not.have.property('abort');
  });

  it('finds a method however it is written, and replaces what was ordered for it', async () => {
    await ok('payment.charge', '--abort', 'INTERNAL');
    await ok('payment.CHARGE', '--abort', 'ABORTED');
    expect((await list()).map(({ target, abort }) => [target, abort])).to.deep.equal([['payment.Charge', 'ABORTED']]);
  });

  it('warns when some instances go on as usual', async () => {
    const { stderr } = await fault('payment', '--delay', '1s');
    expect(stderr).to.equal('1 of 2 instances of payment do not allow faults (MESH_FAULTS): calls to them go on as usual\n');
  });

  it('is refused, and nothing is ordered, when no instance allows it', async () => {
    const { exitCode, stderr } = await fault('order', '--delay', '1s');
    expect(exitCode).to.equal(1);
    expect(stderr).to.include('faults are not allowed in order: start it with MESH_FAULTS=true').and.include('(FAILED_PRECONDITION, FAULTS_OFF)');
    expect(await list()).to.deep.equal([]);
  });

  it('is refused when no instance answers', async () => {
    expect((await fault('user', '--delay', '1s')).stderr).to.include('no instance of user answers').and.include('NO_INSTANCE');
  });

  it('clears one, or all, also what is not there', async () => {
    await ok('payment', '--delay', '1s');
    await ok('payment.Charge', '--delay', '1s');
    expect(await ok('clear', 'payment')).to.equal('cleared: payment\n');
    expect(await ok('clear', 'payment')).to.equal('there is no fault for payment\n');
    expect(await ok('clear')).to.equal('cleared: payment.Charge\n');
    expect(await ok('clear')).to.equal('there is no fault\n');
    expect(await ok('list')).to.equal('there are none\n');
  });

  it('lists no fault that is over, and sweeps it with the next one', async () => {
    const over = { owner: 'ada', percent: 1, delayMs: 1, createTime: '2020-01-01T00:00:00Z', expireTime: '2020-01-01T00:01:00Z' };
    await controlPlane.policies.put('mesh/fault/payment.Refund', JSON.stringify(over));
    expect(await list()).to.deep.equal([]);
    await ok('payment.Charge', '--delay', '1s');
    expect(await controlPlane.policies.get('mesh/fault/payment.Refund')).to.equal(undefined);
  });

  const refused: readonly [args: readonly string[], exitCode: number, says: string][] = [
    [['payment'], 1, 'say what the calls shall suffer: --delay 2s, --abort UNAVAILABLE, or both'],
    [['paymnt', '--delay', '1s'], 1, 'there is no service paymnt; did you mean payment?'],
    [['clear', 'paymnt'], 1, 'there is no service paymnt; did you mean payment?'],
    [['payment.Chrage', '--delay', '1s'], 1, 'payment has no method Chrage; did you mean payment.Charge?'],
    [['*', '--delay', '1s'], 1, 'a fault is for one service'],
    [[], 2, 'missing required argument \'target\''],
    [['payment', '--abort', 'BUSY'], 2, 'Allowed choices are CANCELLED, '],
    [['payment', '--delay', '61s'], 2, 'It is a time span such as 2s or 5m, up to 60s.'],
    [['payment', '--delay', '1s', '--for', '25h'], 2, 'up to 24h.'],
    [['payment', '--delay', '1s', '--percent', '0'], 2, 'It is a number above 0, up to 100.'],
    [['payment', '--delay', '1s', '--percent', '101'], 2, 'It is a number above 0, up to 100.'],
  ];
  for (const [args, code, says] of refused) {
    it(`refuses \`mesh fault ${args.join(' ')}\` and says why`, async () => {
      const { exitCode, stdout, stderr } = await fault(...args);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: code, stdout: '' });
      expect(stderr).to.include(says);
      expect(await list()).to.deep.equal([]);
    });
  }
});
