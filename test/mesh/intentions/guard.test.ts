import { expect } from 'chai';

import { Health } from '#proto/grpc/health/v1/health_pb.js';
import { InstanceService } from '#proto/mesh/v1/instance_pb.js';

import { until } from '../../discovery/support/until.ts';
import { callDirectly } from '../support/direct.ts';
import { openReflection } from '../support/reflection-client.ts';
import { failureOf, readable } from '../support/outcome.ts';
import { intention, permission } from './intention.ts';
import { createKeeper } from './support/keeper.ts';
import { useGuardedShops } from './support/guarded-shop.ts';

const GET_ORDER = 'shop.order.v1.OrderService/GetOrder';
const reads = permission('allow', { path: { kind: 'exact', value: `/${GET_ORDER}` } });
const staff = permission('allow', { headers: [{ name: 'x-role', kind: 'exact', value: 'staff', ignoreCase: false, invert: false }] });

for (const localCalls of ['direct', 'fidelity'] as const) {
  describe(`the guard of a service, called within its process (${localCalls})`, () => {
    const open = useGuardedShops();

    it('lets in each module of the process by its own name', async () => {
      const keeper = createKeeper([intention('web', 'order', 'allow'), intention('*', 'order', 'deny')]);
      const shop = open({ keeper, localCalls });
      expect(await shop.orders('web').getOrder({ orderId: 'o-1' })).to.include({ $typeName: 'shop.order.v1.GetOrderResponse' });
      expect(await failureOf(shop.orders('cart').getOrder({ orderId: 'o-1' }))).to.include({ code: 'PERMISSION_DENIED', reason: 'INTENTION_DENIED' });
    });

    it('without it everybody is let in', async () => {
      const shop = open({ keeper: createKeeper([intention('*', 'order', 'deny')]), localCalls, isGuarded: false });
      await shop.orders('cart').getOrder({ orderId: 'o-1' });
    });
  });
}

describe('the guard of a service', () => {
  const open = useGuardedShops();

  it('says which rule refused a call, and what would change that', async () => {
    const shop = open({ keeper: createKeeper([intention('cart', 'order', [permission('deny', { methods: ['GET'] }), permission('deny', { path: reads.path })])]) });
    const refused = await failureOf(shop.orders('cart').getOrder({ orderId: 'o-1' }));
    expect(readable(refused)).to.deep.equal({
      code: 'PERMISSION_DENIED',
      reason: 'INTENTION_DENIED',
      metadata: { source: 'cart', destination: 'order', method: GET_ORDER, intention: 'cart => order', permission: '2' },
      violations: [],
    });
    expect(refused.message).to.equal(
      `cart may not call ${GET_ORDER}: the intention cart => order denies it by its permission 2; \`npx mesh why cart order.GetOrder\` says more, \`npx mesh intentions allow cart order.GetOrder\` would allow it`,
    );
  });

  it('says so where the default refused it', async () => {
    const shop = open({ defaultAction: 'deny', keeper: createKeeper([intention('shop', 'order', [staff])]) });
    const [none, unmatched] = [await failureOf(shop.orders('cart').getOrder({ orderId: 'o-1' })), await failureOf(shop.orders('shop').getOrder({ orderId: 'o-1' }))];
    expect(none.metadata).to.deep.equal({ source: 'cart', destination: 'order', method: GET_ORDER, intention: 'default deny' });
    expect(none.message).to.include('no intention fits, and the default is to deny');
    expect(unmatched.message).to.include('no permission of the intention shop => order fits, and the default is to deny');
  });

  it('names no value that a rule asks for: it may be a secret', async () => {
    const secret = { name: 'x-key', kind: 'regex', value: 's3cret(', ignoreCase: false, invert: false } as const;
    const shop = open({ keeper: createKeeper([intention('cart', 'order', [permission('deny', { headers: [secret] })])]) });
    const refused = await failureOf(shop.orders('cart').getOrder({ orderId: 'o-1' }));
    expect(refused.message).to.include('asks for what cannot be judged here');
    expect(JSON.stringify([refused.message, refused.metadata, shop.log, shop.guard.read('order').denials])).not.to.include('s3cret');
  });

  it('judges by headers, all values of one name together', async () => {
    const shop = open({ defaultAction: 'deny', keeper: createKeeper([intention('cart', 'order', [staff])]) });
    const orders = shop.orders('cart');
    await orders.getOrder({ orderId: 'o-1' }, { headers: { 'x-role': 'staff' } });
    for (const headers of [{}, { 'x-role': 'guest' }, { 'x-role': ['staff', 'guest'] }]) {
      expect(await failureOf(orders.getOrder({ orderId: 'o-1' }, { headers }))).to.include({ reason: 'INTENTION_DENIED' });
    }
  });

  it('goes by what is changed from the next call on, and by what it heard last while the control plane is away', async () => {
    const shop = open();
    const call = () => shop.orders('cart').getOrder({ orderId: 'o-1' });
    await call();
    shop.keeper.put(intention('cart', 'order', 'deny'));
    expect(await failureOf(call())).to.include({ reason: 'INTENTION_DENIED' });
    shop.keeper.setAway(true);
    expect(await failureOf(call())).to.include({ reason: 'INTENTION_DENIED' });
    shop.keeper.put();
    await call();
  });

  it('refuses before anything is done for a call: its message is not even looked at', async () => {
    const shop = open({ keeper: createKeeper([intention('cart', 'order', 'deny')]) });
    expect(await failureOf(shop.orders('cart').getOrder({ orderId: 'Not an id' }))).to.include({ reason: 'INTENTION_DENIED' });
    expect(await failureOf(shop.orders('web').getOrder({ orderId: 'Not an id' }))).to.include({ code: 'INVALID_ARGUMENT' });
  });

  it('guards reflection and what an instance says of itself too, and never health', async () => {
    const shop = open({ keeper: createKeeper([intention('explorer', 'order', 'deny')]) });
    const port = await shop.listen('explorer');
    const outside = callDirectly(port);
    const reflection = openReflection(port);
    const listed = reflection.ask({ case: 'listServices', value: '' }).catch((error: unknown) => error);
    try {
      expect(await failureOf(outside.client(InstanceService).getInstance({}))).to.include({ reason: 'INTENTION_DENIED' });
      expect(await outside.client(Health).check({})).to.include({ status: 1 });
      expect(String(await listed)).to.include('explorer may not call grpc.reflection.v1.ServerReflection/ServerReflectionInfo');
    } finally {
      reflection.close();
      await outside.stop();
    }
  });

  it('stops its watches', async () => {
    const shop = open();
    await shop.guard.ready('order');
    expect(shop.keeper.watches).to.equal(1);
    await shop.guard.stop();
    expect(shop.keeper.watches).to.equal(0);
  });
});

describe('streams behind a guard', () => {
  const open = useGuardedShops();

  for (const way of ['process', 'port'] as const) {
    it(`end when the intention that let them in goes, and no others do (over the ${way})`, async () => {
      const shop = open();
      const callers = way === 'process' ? { cart: shop.orders('cart'), web: shop.orders('web') } : { explorer: shop.ordersAt(await shop.listen('explorer')), web: shop.orders('web') };
      const [[gone, going] = ['', shop.orders('')]] = Object.entries(callers);
      const [ending, staying] = [going, callers.web].map((orders) => orders.watchOrder({ orderId: 'o-1' })[Symbol.asyncIterator]());
      for (const stream of [ending, staying]) expect(await stream?.next()).to.include({ done: false });
      const ended = failureOf(ending?.next() ?? Promise.resolve());
      let isOver = false;
      staying?.next().then(() => (isOver = true), () => (isOver = true));
      shop.keeper.put(intention(gone, 'order', 'deny'));
      expect(await ended).to.include({ code: 'PERMISSION_DENIED', reason: 'INTENTION_DENIED' });
      expect(isOver).to.equal(false);
      expect(shop.guard.read('order')).to.deep.include({ endedStreams: 1 });
      await staying?.return?.();
    });
  }

  it('are forgotten once they are over', async () => {
    const shop = open();
    const stream = shop.orders('cart').watchOrder({ orderId: 'o-1' })[Symbol.asyncIterator]();
    await stream.next();
    await stream.return?.();
    shop.keeper.put(intention('cart', 'order', 'deny'));
    expect(shop.guard.read('order')).to.deep.include({ endedStreams: 0 });
  });

  it('without a guard go on', async () => {
    const shop = open({ isGuarded: false });
    const stream = shop.orders('cart').watchOrder({ orderId: 'o-1' })[Symbol.asyncIterator]();
    await stream.next();
    let isOver = false;
    stream.next().then(() => (isOver = true), () => (isOver = true));
    shop.keeper.put(intention('cart', 'order', 'deny'));
    await shop.orders('cart').getOrder({ orderId: 'o-1' });
    expect(isOver).to.equal(false);
    await stream.return?.();
  });

  it('do not hold a unary call back that was let in', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let isServed = false;
    const shop = open({ handlers: { getOrder: async () => ((isServed = true), await promise, {}) } });
    const call = shop.orders('cart').getOrder({ orderId: 'o-1' });
    await until('it is served', () => isServed);
    shop.keeper.put(intention('cart', 'order', 'deny'));
    resolve();
    await call;
  });
});
