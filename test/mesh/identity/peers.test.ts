import { Channel, credentials } from '@grpc/grpc-js';
import { expect } from 'chai';

import { refusal, silentLog, systemClock } from '#kit';
import { type ClientInterceptor, createMesh, type Method, type Peer, type ServerInterceptor } from '#mesh';
import { Health } from '#proto/grpc/health/v1/health_pb.js';
import { InstanceService } from '#proto/mesh/v1/instance_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { callDirectly } from '../support/direct.ts';
import { createFleet, type Fleet, type FleetOptions, type Transport } from '../support/fleet.ts';
import { failureOf } from '../support/outcome.ts';
import { createTelemetry } from '../support/telemetry.ts';
import { startUserServer } from './support/user-server.ts';

const TRANSPORTS: readonly Transport[] = ['local', 'fidelity', 'mtls'];

describe('who makes a call', () => {
  let fleet: Fleet;
  const peers: Peer[] = [];
  afterEach(async () => {
    peers.length = 0;
    await fleet.stop();
  });

  /** `order`, which asks `user`, which notes who asks. */
  async function open(transport: Transport, options: FleetOptions = {}): Promise<void> {
    fleet = createFleet(transport, options);
    await fleet.host(UserService, () => ({
      getUser: async (_, { peer }) => {
        peers.push(peer);
        return {};
      },
    }));
    await fleet.host(OrderService, (stubs) => {
      const users = stubs(UserService);
      return {
        getOrder: async (_, { peer }) => {
          peers.push(peer);
          await users.getUser({ userId: 'demo' });
          return {};
        },
      };
    });
  }

  for (const transport of TRANSPORTS) {
    it(`is the service whose stub it is, at each hop (${transport})`, async () => {
      await open(transport);
      await fleet.client(OrderService).getOrder({ orderId: 'o-1' });
      await fleet.client(UserService).getUser({ userId: 'demo' });
      const isLocal = transport !== 'mtls';
      const common = isLocal ? { proof: 'process', address: '' } : { proof: 'certificate', address: '127.0.0.1' };
      expect(peers).to.deep.equal(['caller', 'order', 'caller'].map((service) => ({ service, ...common })));
    });

    it(`is judged by the guards ahead of all else, and what it takes along is added once for all attempts (${transport})`, async () => {
      const asked: string[] = [];
      const guard = (method: Method, service: string): readonly ServerInterceptor[] => [
        (next) => (call) => {
          asked.push(`${call.peer.service} ${service} ${method.desc.name} ${call.header('x-token')}`);
          return asked.length === 1 ? Promise.reject(refusal('OVERLOADED', 'later', { retry: { kind: 'not-started', afterMs: 0 } })) : next(call);
        },
      ];
      let added = 0;
      const outgoing: ClientInterceptor = (next) => (call) => {
        added += 1;
        call.headers['x-token'] = `t${added}`;
        return next(call);
      };
      await open(transport, { guards: guard, outgoing: [outgoing] });
      await fleet.client(UserService).getUser({ userId: 'demo' });
      expect(asked).to.deep.equal(['caller user GetUser t1', 'caller user GetUser t1']);
      expect(added).to.equal(1);
    });
  }

  it('is judged where an instance is asked about itself, and not where it is asked whether it is well', async () => {
    const denied: ServerInterceptor = () => () => Promise.reject(refusal('OVERLOADED', 'not you'));
    fleet = createFleet('remote', { guards: () => [denied] });
    const { port } = await fleet.host(UserService, () => ({}));
    const outside = callDirectly(port);
    try {
      expect(await failureOf(outside.client(InstanceService).getInstance({}))).to.include({ message: 'not you' });
      await outside.client(Health).check({});
    } finally {
      await outside.stop();
    }
  });
});

describe('two ports of one service', () => {
  it('tell their callers apart: whoever comes in plaintext from this machine is the explorer', async () => {
    const { port, peers, hosting, stop } = await startUserServer();
    const explorers = await hosting.listen('127.0.0.1', 0, { kind: 'plaintext', peer: 'explorer' });
    const callers = [explorers.port, port].map((each) => callDirectly(each));
    for (const caller of callers) await caller.client(UserService).getUser({ userId: 'demo' });
    await Promise.all(callers.map((caller) => caller.stop()));
    await Promise.all([explorers.stop(), stop()]);
    expect(peers).to.deep.equal([
      { service: 'explorer', proof: 'loopback', address: '127.0.0.1' },
      { service: '', proof: 'none', address: '127.0.0.1' },
    ]);
  });
});

describe('the callers of a process', () => {
  it('have a channel each to one service, and are seen as one from outside', async () => {
    const fleet = createFleet('remote');
    const { port } = await fleet.host(UserService, () => ({ getUser: async () => ({}) }));
    const opened: string[] = [];
    const mesh = createMesh({
      ...{ clock: systemClock, log: silentLog },
      openChannel: (service, _, caller) => {
        opened.push(`${caller} ${service}`);
        return new Channel(`127.0.0.1:${port}`, credentials.createInsecure(), {});
      },
    });
    const { tracer } = { tracer: createTelemetry().tracer('monolith') };
    for (const service of ['order', 'gateway', 'order']) await mesh.client(UserService, { tracer, service }).getUser({ userId: 'demo' });
    mesh.channel('user', 'gateway');
    expect(opened).to.deep.equal(['order user', 'gateway user']);
    expect(mesh.read().map(({ service }) => service)).to.deep.equal(['user']);
    await mesh.stop();
    await fleet.stop();
  });
});
