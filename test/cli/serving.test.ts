import { rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';

import { expect } from 'chai';

import { connectControlPlane } from '../../cli/serving/control-plane.ts';
import { type ProcessHooks, serve } from '../../cli/serving/serve.ts';
import { loadSettings, type Resolved } from '../../cli/settings.ts';
import { type EmbeddedAgent, startAgent } from '#discovery/agent';
import { silentLog, systemClock, systemRandom } from '#kit';
import type { ServerInterceptor } from '#mesh';
import type { ModuleName } from '#modules';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { AccountService } from '#proto/shop/user/v1/account_pb.js';

import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase, makeTestFolder, type TestDatabase } from '../database/postgres-fixture.ts';
import { until } from '../discovery/support/until.ts';
import { callDirectly } from '../mesh/support/direct.ts';
import { failureOf } from '../mesh/support/outcome.ts';
import { placeOrderRequest } from '../mesh/support/requests.ts';
import { createTokenOf, signedIn } from '../shop/shop-callers.ts';
import { captureLog } from '../tracing/captured-log.ts';

const SERVICES: readonly ModuleName[] = ['user', 'product', 'order'];

describe('services that share a process', function () {
  this.timeout(30_000);
  this.slow(5_000);

  let folder: string;
  let agent: EmbeddedAgent;
  let database: TestDatabase;
  before(async () => {
    folder = await makeTestFolder();
    agent = await startAgent({ dataDir: folder, host: '127.0.0.1', port: 0, log: silentLog, clock: systemClock, random: systemRandom });
    database = await createTestDatabase();
  });
  after(async () => {
    await agent.stop();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const settingsWith = (more: Readonly<Record<string, string>> = {}): Promise<Resolved> =>
    loadSettings({
      CONSUL_HTTP_ADDR: agent.url,
      DATABASE_URL: database.url,
      OTEL_TRACES_EXPORTER: 'none',
      // So that a direct caller needs no certificate.
      MESH_EXPLORER: 'true',
      ...Object.fromEntries(SERVICES.map((name) => [`MESH_PORT_${name.toUpperCase()}`, '0'])),
      ...more,
    });

  async function registered(): Promise<readonly string[]> {
    const controlPlane = await connectControlPlane(await settingsWith(), silentLog);
    const instances = await controlPlane.listInstances();
    await controlPlane.stop();
    return instances.map(({ service }) => service);
  }

  for (const names of [SERVICES, SERVICES.toReversed()]) {
    it(`started as ${names.join(', ')}, stop only when none of them is needed any more`, async () => {
      const arrived = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const hold: ServerInterceptor = (next) => async (call) => {
        if (call.method.desc !== OrderService.method.placeOrder) return next(call);
        arrived.resolve();
        await released.promise;
        return next(call);
      };
      const hooks: ProcessHooks = { server: [hold] };
      const { log, lines } = captureLog('warn');
      const running = await serve(names, await settingsWith(), log, hooks);
      const accounts = openTestDatabase({ url: database.url, schema: 'user' });
      const outgoing = [signedIn(createTokenOf(accounts))];
      const [orders, users] = ['order', 'user'].map((name) => callDirectly(running.services.find((served) => served.name === name)?.port ?? 0, outgoing));
      const placing = failureOf(orders?.client(OrderService).placeOrder(placeOrderRequest()) ?? Promise.resolve());
      await arrived.promise;
      const stopped = running.stop();
      await until('what is idle has closed', async () => (await users?.client(AccountService).getSigningKeys({}).catch(() => undefined)) === undefined);
      expect(await registered()).to.deep.equal([]);
      released.resolve();
      // It has read the tables of the other services, whose servers are closed.
      expect(await placing).to.include({ code: 'NOT_FOUND' });
      await stopped;
      await Promise.all([orders?.stop(), users?.stop(), accounts.stop()]);
      expect(lines).to.deep.equal([]);
    });
  }

  it('that are told twice to stop do not wait for calls that do not end', async () => {
    const arrived = Promise.withResolvers<void>();
    const never: ServerInterceptor = () => () => {
      arrived.resolve();
      return new Promise(() => {});
    };
    const running = await serve(['user'], await settingsWith(), silentLog, { server: [never] });
    const caller = callDirectly(running.services[0]?.port ?? 0);
    const calling = failureOf(caller.client(AccountService).getSigningKeys({}, { deadlineMs: 60_000 }));
    await arrived.promise;
    const began = performance.now();
    const stopped = running.stop();
    running.hurry();
    await stopped;
    // The grace for calls in flight alone would be 5 s.
    expect(performance.now() - began).to.be.below(4_500);
    expect((await calling).code).to.equal('UNAVAILABLE');
    await caller.stop();
  });

  it('do not join whoever answers at an address that nobody has named', async () => {
    const settings = await settingsWith();
    const unsaid: Resolved = { ...settings, origins: { ...settings.origins, CONSUL_HTTP_ADDR: 'default' } };
    expect(await failureOf(serve(SERVICES, unsaid, silentLog))).to.include({ reason: 'NOT_RUNNING' });
    expect(await failureOf(connectControlPlane(unsaid, silentLog))).to.include({ reason: 'NOT_RUNNING' });
    expect(await registered()).to.deep.equal([]);
  });

  it('leave nothing behind when one of them cannot start', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = String(typeof address === 'object' ? address?.port : 0);
    const refused = await failureOf(serve(SERVICES, await settingsWith({ MESH_PORT_USER: port }), silentLog));
    other.close();
    expect(refused).to.include({ reason: 'PORT_IN_USE' });
    expect(await registered()).to.deep.equal([]);
  });
});
