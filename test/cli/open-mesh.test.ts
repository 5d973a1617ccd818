import { rm } from 'node:fs/promises';

import { expect } from 'chai';

import { createCaller } from '../../cli/calling/caller.ts';
import { serve, type ServingProcess } from '../../cli/serving/serve.ts';
import { loadSettings, type Resolved } from '../../cli/settings.ts';
import type { Database } from '#database';
import { type EmbeddedAgent, startAgent } from '#discovery/agent';
import { MeshError, silentLog, systemClock, systemRandom } from '#kit';
import { type Client, type ServerInterceptor } from '#mesh';
import { NotificationService } from '#proto/shop/notification/v1/notification_pb.js';

import { announceRevocation } from '../../services/user/accounts/revocation-store.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase, makeTestFolder, type TestDatabase } from '../database/postgres-fixture.ts';
import { until } from '../database/until.ts';
import { as } from '../mesh/identity/people.ts';
import { createTokenOf } from '../shop/shop-callers.ts';

describe('the mesh of a process', function () {
  this.timeout(30_000);
  this.slow(10_000);

  let folder: string;
  let agent: EmbeddedAgent;
  let place: TestDatabase;
  let running: ServingProcess;
  let users: Database;
  let notifications: Client<typeof NotificationService>;
  let stopCaller: () => Promise<void>;
  /** For whom streams were let in. */
  const watching: (string | undefined)[] = [];

  const look: ServerInterceptor = (next) => (call) => {
    if (call.method.desc.name === 'WatchNotifications') watching.push(call.user?.userId);
    return next(call);
  };

  before(async () => {
    folder = await makeTestFolder();
    agent = await startAgent({ dataDir: folder, host: '127.0.0.1', port: 0, log: silentLog, clock: systemClock, random: systemRandom });
    place = await createTestDatabase();
    running = await serve(['user', 'notification'], await settings(), silentLog, { server: [look] });
    users = openTestDatabase({ url: place.url, schema: 'user' });
    const caller = await createCaller(await settings());
    stopCaller = caller.stop;
    notifications = caller.mesh.client(NotificationService, caller);
  });
  after(async () => {
    await stopCaller();
    await users.stop();
    const stopped = running.stop();
    running.hurry();
    await stopped;
    await agent.stop();
    await place.drop();
    await rm(folder, { recursive: true, force: true });
  });

  function settings(): Promise<Resolved> {
    const ports = { MESH_PORT_USER: '0', MESH_PORT_NOTIFICATION: '0' };
    return loadSettings({ CONSUL_HTTP_ADDR: agent.url, DATABASE_URL: place.url, OTEL_TRACES_EXPORTER: 'none', ...ports });
  }

  it('ends the streams of whoever signs out everywhere', async () => {
    const token = await createTokenOf(users)('ada');
    const stream = notifications.watchNotifications({ userId: 'ada' }, { ...as(token), deadlineMs: 60_000 })[Symbol.asyncIterator]();
    const end = stream.next().then(() => expect.fail('there was something to tell'), (thrown: unknown) => MeshError.from(thrown));
    await until('it was let in', () => watching.length > 0);
    expect(watching).to.deep.equal(['ada']);
    await users.transaction('test void', (tx) => announceRevocation(tx, { userId: 'ada', generation: 1n }, systemClock));
    const { reason, metadata } = await end;
    expect({ reason, metadata }).to.deep.equal({ reason: 'ACCESS_TOKEN_REFUSED', metadata: { why: 'revoked' } });
  });
});
