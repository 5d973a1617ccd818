import { once } from 'node:events';
import { createServer } from 'node:net';

import { expect } from 'chai';

import { systemClock } from '#kit';
import type { CallContext, Listening } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { until } from '../discovery/support/until.ts';
import { createFleet, type Fleet, useFleet } from './support/fleet.ts';
import { allOf, failureOf, forever } from './support/outcome.ts';
import { openReflection } from './support/reflection-client.ts';

/** How long calls in flight may take once their server stops, and what breaking them off may take besides. */
const GRACE_MS = 5_000;
const SLACK_MS = 2_500;

describe('a service that listens', () => {
  const fleet = useFleet('remote');

  it('says which port it was given', async () => {
    const { port } = await fleet().host(UserService, () => ({ getUser: async () => ({}) }));
    expect(port).to.be.within(1, 65_535);
    await fleet().client(UserService).getUser({ userId: 'demo' });
  });

  it('refuses a port that something else holds, and names it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const refused = await failureOf(fleet().host(UserService, () => ({}), { port }));
    other.close();
    expect(refused).to.include({ code: 'FAILED_PRECONDITION', reason: 'PORT_IN_USE' });
    expect(refused.metadata).to.deep.equal({ port: String(port), address: '127.0.0.1' });
  });
});

describe('a service that stops', function () {
  this.timeout(20_000);
  let fleet: Fleet;
  let calls: CallContext[];
  beforeEach(() => {
    calls = [];
    fleet = createFleet('remote');
  });
  afterEach(() => fleet.stop());

  const hostUsers = (answer: () => Promise<object>): Promise<Listening> =>
    fleet.host(UserService, () => ({
      getUser(_request, call) {
        calls.push(call);
        return answer();
      },
    }));

  it('lets calls in flight finish, and takes no new ones', async () => {
    const { promise, resolve } = Promise.withResolvers<object>();
    const listening = await hostUsers(() => promise);
    const users = fleet.client(UserService);
    const inFlight = users.getUser({ userId: 'demo' });
    await until('the call has arrived', () => calls.length === 1);
    const stopped = listening.stop();
    await until('new calls are refused', () =>
      users.getUser({ userId: 'demo' }, { deadlineMs: 200 }).then(
        () => false,
        ({ code }) => code === 'UNAVAILABLE',
      ),
    );
    resolve({ user: { userId: 'demo' } });
    expect((await inFlight).user?.userId).to.equal('demo');
    await stopped;
    expect(calls).to.have.length(1);
  });

  it('is quick when nobody calls, though callers keep their connections', async () => {
    const listening = await hostUsers(async () => ({}));
    await fleet.client(UserService).getUser({ userId: 'demo' });
    const started = performance.now();
    await listening.stop();
    expect(performance.now() - started).to.be.below(1_000);
  });

  it('ends streams at once and lets other calls finish, in a way that callers can tell from their own doing', async () => {
    const { promise, resolve } = Promise.withResolvers<object>();
    let placing = false;
    let ended = false;
    const listening = await fleet.host(OrderService, () => ({
      async *watchOrder(_request, { signal }) {
        try {
          yield { sequence: 1n };
          await systemClock.sleep(60_000, signal);
        } finally {
          ended = true;
        }
      },
      getOrder() {
        placing = true;
        return promise;
      },
    }));
    const orders = fleet.client(OrderService);
    const inFlight = orders.getOrder({ orderId: 'o-1' });
    const watching = failureOf(allOf(orders.watchOrder({ orderId: 'o-1' })));
    const reflection = openReflection(listening.port);
    await reflection.ask({ case: 'listServices', value: '' });
    await until('the call has arrived', () => placing);
    const stopped = listening.stop();
    expect(await watching).to.include({ code: 'UNAVAILABLE', reason: 'DRAINING' });
    await until('the handler has ended', () => ended);
    resolve({ order: { orderId: 'o-1' } });
    expect((await inFlight).order?.orderId).to.equal('o-1');
    await stopped;
    reflection.close();
  });

  it('breaks off, after a grace, what does not end', async () => {
    let arrived = false;
    const listening = await fleet.host(UserService, () => ({
      getUser() {
        arrived = true;
        return forever();
      },
    }));
    const inFlight = failureOf(fleet.client(UserService).getUser({ userId: 'demo' }, { deadlineMs: 60_000 }));
    await until('the call has arrived', () => arrived);
    const started = performance.now();
    await listening.stop();
    expect(performance.now() - started).to.be.within(GRACE_MS - 100, GRACE_MS + SLACK_MS);
    // It was tried again, as what broke it off allows, and nobody listens there now.
    expect(await inFlight).to.include({ code: 'UNAVAILABLE' });
  });
});
