import { createServer } from 'node:net';
import { once } from 'node:events';

import { Channel, credentials } from '@grpc/grpc-js';
import { expect } from 'chai';

import { type ControlPlane, discoveryChannelOptions, type InstanceListener } from '#discovery';
import { refusal, silentLog, systemClock } from '#kit';
import { type Client, createMesh, type Mesh, type OpenChannel, toStatus } from '#mesh';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { allOf, failureOf } from './support/outcome.ts';
import { createTelemetry, type Telemetry } from './support/telemetry.ts';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

/** A port of this machine that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('a TCP server has a port');
  return address.port;
}

/** A control plane that knows of nobody, or cannot be asked. */
function emptyControlPlane(tell: (listener: InstanceListener) => void): ControlPlane {
  const plane = {
    watchInstances(_service: string, listener: InstanceListener) {
      tell(listener);
      return { stop: async () => undefined };
    },
  };
  // The resolver uses nothing else of it.
  return plane as unknown as ControlPlane;
}

describe('a service that cannot be reached', () => {
  let mesh: Mesh;
  let telemetry: Telemetry;
  beforeEach(() => void (telemetry = createTelemetry()));
  afterEach(() => mesh.stop());

  function clients(openChannel: OpenChannel): { users: Client<typeof UserService>; orders: Client<typeof OrderService> } {
    mesh = createMesh({ clock: systemClock, log: silentLog, openChannel });
    const caller = { tracer: telemetry.tracer('caller'), service: '' };
    return { users: mesh.client(UserService, caller), orders: mesh.client(OrderService, caller) };
  }

  const discovered = (tell: (listener: InstanceListener) => void) =>
    clients((service, options) => new Channel(`consul:///${service}`, credentials.createInsecure(), { ...options, ...discoveryChannelOptions(emptyControlPlane(tell)) }));

  it('is UNREACHABLE at once, not at the deadline', async () => {
    const port = await closedPort();
    const { users, orders } = clients(() => new Channel(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 }));
    const started = performance.now();
    const failure = await failureOf(users.getUser({ userId: 'demo' }));
    expect(performance.now() - started).to.be.below(900);
    expect(failure).to.include({ code: 'UNAVAILABLE', reason: 'UNREACHABLE' });
    expect(failure.message).to.equal('user could not be reached; try again in a moment');
    expect(await failureOf(allOf(orders.watchOrder({ orderId: 'o-1' })))).to.include({ reason: 'UNREACHABLE' });
  });

  for (const balanced of [false, true]) {
    it(`does not tell its callers where it is (${balanced ? 'balanced' : 'one address'}): that is in the cause and the span`, async () => {
      const port = await closedPort();
      const at = { id: 'user-1', service: 'user', address: '127.0.0.1', port, version: '1', zone: '', weight: 1, metadata: {} };
      const { users } = balanced
        ? discovered((listener) => listener.onInstances([at]))
        : clients(() => new Channel(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 }));
      const failure = await failureOf(users.getUser({ userId: 'demo' }));
      expect(failure).to.include({ reason: 'UNREACHABLE', message: 'user could not be reached; try again in a moment' });
      expect(JSON.stringify(toStatus(failure))).not.to.contain(String(port));
      expect(String(failure.cause)).to.contain(`ECONNREFUSED 127.0.0.1:${port}`);
      const told = telemetry.spans()[0]?.events.filter(({ name }) => name === 'unreachable') ?? [];
      expect(String(told[0]?.attributes?.['mesh.unreachable.cause'])).to.contain(`ECONNREFUSED 127.0.0.1:${port}`);
    });
  }

  it('is not called any more once the mesh has stopped: nobody would close the channel', async () => {
    let opened = 0;
    const { users } = clients((service) => {
      opened += 1;
      return new Channel(`127.0.0.1:1/${service}`, credentials.createInsecure(), {});
    });
    await mesh.stop();
    expect(await failureOf(users.getUser({ userId: 'demo' }))).to.include({ code: 'CANCELLED', reason: 'CANCELLED' });
    expect(opened).to.equal(0);
  });

  it('has NO_INSTANCE when the registry knows of none, and the sentence says what to do', async () => {
    const { users } = discovered((listener) => listener.onInstances([]));
    const failure = await failureOf(users.getUser({ userId: 'demo' }));
    expect(failure).to.include({ code: 'UNAVAILABLE', reason: 'NO_INSTANCE' });
    expect(failure.message).to.match(/no healthy instance of user .*try again.*`npx mesh doctor` says why.*`npx mesh serve user` starts one/);
  });

  it('is named with the control plane’s reason when that could not be asked', async () => {
    const { users } = discovered((listener) => listener.onError(refusal('CONTROL_PLANE_UNAVAILABLE', 'Consul is gone; start it')));
    const failure = await failureOf(users.getUser({ userId: 'demo' }));
    expect(failure).to.include({ code: 'UNAVAILABLE', reason: 'CONTROL_PLANE_UNAVAILABLE' });
    expect(failure.message).to.contain('Consul is gone; start it');
  });

  it('does not hide a request that could never be sent', async () => {
    const { users } = discovered((listener) => listener.onInstances([]));
    const failure = await failureOf(users.listUsers({ pageSize: 1.5 }));
    expect(failure).to.include({ code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' });
    expect(await failureOf(users.getUser({ userId: 'demo' }, { headers: { 'not a header': '1' } }))).to.include({ code: 'INVALID_ARGUMENT' });
  });
});
