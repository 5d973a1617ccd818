import { Channel } from '@grpc/grpc-js';
import { expect } from 'chai';

import { discoveryChannelOptions } from '#discovery';
import { MeshError, silentLog, systemClock } from '#kit';
import { type Client, createMesh, meshCredentials, trustOptions } from '#mesh';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { connectLimitOptions } from '../../../mesh/client/balancing/connect-limit.ts';
import { createTestAuthority, type TestAuthority } from '../../discovery/support/authority.ts';
import { fakeControlPlane } from '../../discovery/support/fake-control-plane.ts';
import { holdIdentity, type HeldIdentity } from '../../discovery/support/held-identity.ts';
import { instance } from '../../discovery/support/instances.ts';
import { until } from '../../discovery/support/until.ts';
import { createTelemetry } from '../support/telemetry.ts';
import { startSwallowingProxy, type SwallowingProxy } from './support/swallowing-proxy.ts';
import { startUserServer, type UserServer } from './support/user-server.ts';

describe('a server that a caller is connected to when the roots change', () => {
  const stops: (() => Promise<void>)[] = [];
  let former: TestAuthority;
  let next: TestAuthority;
  let order: HeldIdentity;
  let server: UserServer;
  let proxy: SwallowingProxy;
  before(async () => {
    former = await createTestAuthority();
    next = await former.rotated();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  /** A server that shows this leaf and takes what either root has signed, and a caller that has called it. */
  async function connect(authority: TestAuthority, isFollowing = true, limitMs = 10_000): Promise<Client<typeof UserService>> {
    const both = { ...next.trust, roots: [...next.trust.roots, ...former.trust.roots] };
    order = holdIdentity('order', await next.leaf('order'), both);
    server = await startUserServer({ kind: 'mtls', identity: holdIdentity('user', await authority.leaf('user'), both), permissive: false });
    stops.push(server.stop);
    proxy = await startSwallowingProxy(server.port);
    stops.push(proxy.stop);
    const { controlPlane, set } = fakeControlPlane();
    set(instance('user', { service: 'user', port: proxy.port }));
    const mesh = createMesh({
      ...{ clock: systemClock, log: silentLog },
      openChannel: (service, options) =>
        new Channel(`consul:///${service}`, meshCredentials(order, service), {
          ...{ ...options, ...discoveryChannelOptions(controlPlane), ...connectLimitOptions(limitMs) },
          ...(isFollowing && trustOptions(order)),
        }),
    });
    stops.push(mesh.stop);
    const users = mesh.client(UserService, { tracer: createTelemetry().tracer('order'), service: 'order' });
    await users.getUser({ userId: 'demo' });
    return users;
  }
  const answerOf = (users: Client<typeof UserService>, deadlineMs = 5_000): Promise<string> =>
    users.getUser({ userId: 'demo' }, { deadlineMs }).then(
      () => 'OK',
      (thrown: unknown) => MeshError.from(thrown).reason,
    );

  it('is left when its root is gone, and calls in flight finish', async () => {
    const users = await connect(former);
    const release = server.hold();
    const inFlight = answerOf(users);
    await until('the call is there', () => server.peers.length === 2);
    order.believe(next.trust);
    // One that comes before the connection is left waits with the other.
    await until('it is called no more', async () => (await answerOf(users, 150)) === 'SERVER_IDENTITY');
    release();
    expect(await inFlight).to.equal('OK');
  });

  it('would be called for as long as it likes, if nobody looked', async () => {
    const users = await connect(former, false);
    order.believe(next.trust);
    for (let time = 0; time < 20; time += 1) expect(await answerOf(users)).to.equal('OK');
  });

  it('is connected to anew when a root stands behind it still, and no call fails', async () => {
    const users = await connect(next);
    const first = server.peers[0];
    order.believe(next.trust);
    await until('calls come over a new connection', async () => {
      expect(await answerOf(users)).to.equal('OK');
      return server.peers.at(-1) !== first;
    });
    order.become(await next.leaf('order'));
    const latest = server.peers.at(-1);
    for (let time = 0; time < 20; time += 1) expect(await answerOf(users)).to.equal('OK');
    expect(server.peers.at(-1), 'a new leaf is for new connections').to.equal(latest);
  });

  it('is left, too, when it does not answer the handshake that would show that its root is gone', async () => {
    const users = await connect(former, true, 200);
    proxy.swallow();
    order.believe(next.trust);
    await until('it is called no more', async () => (await answerOf(users, 150)) === 'UNREACHABLE');
    expect(proxy.taken()).to.equal(2);
  });

  it('would be called for as long as it does not answer, if nobody limited that', async () => {
    const users = await connect(former, true, 60_000);
    proxy.swallow();
    order.believe(next.trust);
    await until('another connection was tried', () => proxy.taken() === 2);
    for (let time = 0; time < 20; time += 1) expect(await answerOf(users)).to.equal('OK');
  });
});
