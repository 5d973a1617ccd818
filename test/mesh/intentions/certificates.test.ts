import { expect } from 'chai';

import { Health } from '#proto/grpc/health/v1/health_pb.js';
import { InstanceService } from '#proto/mesh/v1/instance_pb.js';

import { callDirectly } from '../support/direct.ts';
import { failureOf, readable } from '../support/outcome.ts';
import { intention } from './intention.ts';
import { createKeeper } from './support/keeper.ts';
import { useGuardedShops } from './support/guarded-shop.ts';

const GET_ORDER = 'shop.order.v1.OrderService/GetOrder';

describe('callers without a certificate', () => {
  const open = useGuardedShops();

  it('are refused, whatever the intentions say', async () => {
    const shop = open({ keeper: createKeeper([intention('*', 'order', 'allow')]) });
    const refused = await failureOf(shop.ordersAt(await shop.listen()).getOrder({ orderId: 'o-1' }));
    expect(readable(refused)).to.deep.equal({ code: 'UNAUTHENTICATED', reason: 'CERTIFICATE_REQUIRED', metadata: { destination: 'order', method: GET_ORDER }, violations: [] });
    expect(refused.message).to.include('`npx mesh cert`');
    expect(shop.log).to.have.length(1);
    expect(shop.log[0]).to.include({ name: 'audit', level: 'warn', destination: 'order', method: GET_ORDER, address: '127.0.0.1' });
  });

  it('are refused before it is known who may call: they take no place of those who are held', async () => {
    const shop = open({ keeper: createKeeper() });
    expect(await failureOf(shop.ordersAt(await shop.listen()).getOrder({ orderId: 'o-1' }))).to.include({ reason: 'CERTIFICATE_REQUIRED' });
    expect(shop.guard.read('order').held).to.equal(0);
  });

  it('without a guard are served', async () => {
    const shop = open({ isGuarded: false });
    await shop.ordersAt(await shop.listen()).getOrder({ orderId: 'o-1' });
  });

  it('may ask for health, and for nothing else', async () => {
    const outside = callDirectly(await open().listen());
    try {
      expect(await outside.client(Health).check({})).to.include({ status: 1 });
      expect(await failureOf(outside.client(InstanceService).getInstance({}))).to.include({ reason: 'CERTIFICATE_REQUIRED' });
    } finally {
      await outside.stop();
    }
  });

  it('are not those of the explorer\'s port, who have its name', async () => {
    const shop = open({ keeper: createKeeper([intention('*', 'order', 'deny'), intention('explorer', 'order', 'allow')]) });
    await shop.ordersAt(await shop.listen('explorer')).getOrder({ orderId: 'o-1' });
  });
});

describe('callers without a certificate, of a permissive service', () => {
  const open = useGuardedShops();

  it('are judged as a source without a name, which only intentions from any source are about', async () => {
    const shop = open({ permissive: true, keeper: createKeeper([intention('order', 'order', 'deny')]) });
    const call = (port: number) => shop.ordersAt(port).getOrder({ orderId: 'o-1' });
    const port = await shop.listen();
    await call(port);
    shop.keeper.put(intention('*', 'order', 'deny'));
    const refused = await failureOf(call(port));
    expect(refused).to.deep.include({ reason: 'INTENTION_DENIED', metadata: { source: '', destination: 'order', method: GET_ORDER, intention: '* => order' } });
    expect(refused.message).to.match(/^a caller that proves no service may not call /);
  });

  it('stand in the report of the instance, with how often and when they called', async () => {
    const shop = open({ permissive: true });
    const port = await shop.listen();
    const outside = callDirectly(port);
    try {
      await shop.ordersAt(port).getOrder({ orderId: 'o-1' });
      await shop.ordersAt(port).getOrder({ orderId: 'o-1' });
      await shop.orders('web').getOrder({ orderId: 'o-1' });
      const { guard } = await outside.client(InstanceService).getInstance({});
      const listed = guard?.withoutCertificate.map(({ address, method, calls }) => [address, method, Number(calls)]);
      expect(listed).to.deep.equal([['127.0.0.1', 'mesh.v1.InstanceService/GetInstance', 1], ['127.0.0.1', GET_ORDER, 2]]);
      expect(guard).to.include({ permissive: true, otherCallsWithoutCertificate: 0n });
      const [, orders] = guard?.withoutCertificate ?? [];
      expect(Number(orders?.lastTime?.seconds)).to.be.at.least(Number(orders?.firstTime?.seconds));
    } finally {
      await outside.stop();
    }
  });
});
