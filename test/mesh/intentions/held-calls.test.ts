import { create } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { refusal } from '#kit';
import { describeMethod, type ServerCall } from '#mesh';
import { GetOrderRequestSchema, OrderService } from '#proto/shop/order/v1/order_pb.js';

import { until } from '../../discovery/support/until.ts';
import { failureOf } from '../support/outcome.ts';
import { createServerCall } from '../support/server-call.ts';
import { intention } from './intention.ts';
import { createKeeper } from './support/keeper.ts';
import { useGuardedShops } from './support/guarded-shop.ts';

const getOrder = describeMethod(OrderService.method.getOrder);

function callOf(service: string): ServerCall {
  return { ...createServerCall(getOrder, create(GetOrderRequestSchema)), peer: { service, proof: 'process', address: '' } };
}

describe('calls that come before it is known who may call', () => {
  const open = useGuardedShops();

  it('are held until it is, and judged then', async () => {
    const shop = open({ keeper: createKeeper() });
    const calls = ['cart', 'web'].map((caller) => shop.orders(caller).getOrder({ orderId: 'o-1' }));
    const refused = failureOf(calls[0] ?? Promise.resolve());
    await until('both are held', () => shop.guard.read('order').held === 2);
    shop.keeper.put(intention('cart', 'order', 'deny'));
    expect(await refused).to.include({ reason: 'INTENTION_DENIED' });
    await calls[1];
    expect(shop.guard.read('order').held).to.equal(0);
  });

  it('without a guard are served', async () => {
    await open({ keeper: createKeeper(), isGuarded: false }).orders('cart').getOrder({ orderId: 'o-1' });
  });

  it('wait for the default too', async () => {
    const keeper = createKeeper([]);
    keeper.setAway(true);
    const shop = open({ keeper });
    const call = shop.orders('cart').getOrder({ orderId: 'o-1' });
    await until('it is held', () => shop.guard.read('order').held === 1);
    keeper.setAway(false);
    await call;
  });

  it('end at their deadlines, or when their callers leave', async () => {
    const shop = open({ keeper: createKeeper() });
    const leaving = new AbortController();
    const [late, left] = [shop.orders('cart').getOrder({ orderId: 'o-1' }, { deadlineMs: 20 }), shop.orders('cart').getOrder({ orderId: 'o-1' }, { signal: leaving.signal })].map(failureOf);
    await until('both are held', () => shop.guard.read('order').held === 2);
    leaving.abort();
    expect(await left).to.include({ code: 'CANCELLED' });
    expect(await late).to.include({ code: 'DEADLINE_EXCEEDED' });
    expect(shop.guard.read('order').held).to.equal(0);
  });

  it('are 1,000 at most: what does not fit is UNAVAILABLE, and may be sent again', async () => {
    const { guard, keeper } = open({ keeper: createKeeper() });
    let served = 0;
    const serve = guard.link(getOrder, 'order')(async () => ((served += 1), create(GetOrderRequestSchema)));
    const held = Array.from({ length: 1_000 }, () => serve(callOf('cart')));
    const refused = await failureOf(serve(callOf('cart')));
    expect(refused).to.deep.include({ code: 'UNAVAILABLE', reason: 'INTENTIONS_UNKNOWN', retry: { kind: 'not-started', afterMs: 1_000 } });
    keeper.put();
    await Promise.all(held);
    expect(served).to.equal(1_000);
  });

  it('make room when they are over', async () => {
    const { guard } = open({ keeper: createKeeper() });
    const serve = guard.link(getOrder, 'order')(async () => create(GetOrderRequestSchema));
    const calls = Array.from({ length: 1_000 }, () => callOf('cart'));
    const over = calls.map((call) => failureOf(serve(call)));
    for (const { lifetime } of calls) lifetime.end(refusal('CANCELLED', 'the caller went away'));
    await Promise.all(over);
    expect(guard.read('order').held).to.equal(0);
    void serve(callOf('cart')).catch(() => undefined);
    expect(guard.read('order').held).to.equal(1);
  });

  it('are refused when the guard stops, and nobody waits for it to be ready any more', async () => {
    const shop = open({ keeper: createKeeper() });
    const refused = failureOf(shop.orders('cart').getOrder({ orderId: 'o-1' }));
    const ready = shop.guard.ready('order');
    await until('it is held', () => shop.guard.read('order').held === 1);
    await shop.guard.stop();
    expect(await refused).to.include({ reason: 'INTENTIONS_UNKNOWN' });
    await ready;
  });
});
