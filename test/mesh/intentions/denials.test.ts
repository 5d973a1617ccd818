import { expect } from 'chai';

import { InstanceService } from '#proto/mesh/v1/instance_pb.js';

import { createReadableMeter, type ReadableMeter } from '../instruments/support/meter.ts';
import { callDirectly } from '../support/direct.ts';
import { failureOf } from '../support/outcome.ts';
import { useTracePropagation } from '../support/telemetry.ts';
import { intention } from './intention.ts';
import { createKeeper } from './support/keeper.ts';
import { useGuardedShops } from './support/guarded-shop.ts';

const GET_ORDER = 'shop.order.v1.OrderService/GetOrder';

describe('a refusal by intention', () => {
  const open = useGuardedShops();
  useTracePropagation();

  it('is an event of the call\'s span, which is no failure of the service', async () => {
    const shop = open({ keeper: createKeeper([intention('cart', 'order', 'deny')]) });
    await failureOf(shop.orders('cart').getOrder({ orderId: 'o-1' }));
    const span = shop.telemetry.spans().find(({ resource }) => resource.attributes['service.name'] === 'order');
    expect(span?.events.map(({ name, attributes }) => [name, attributes])).to.deep.equal([
      ['mesh.denied', { 'mesh.denied.source': 'cart', 'mesh.denied.destination': 'order', 'mesh.denied.method': GET_ORDER, 'mesh.denied.intention': 'cart => order' }],
    ]);
    expect(span?.status.code).to.equal(0);
  });

  it('is a line of the audit, one for many, with the trace of the first', async () => {
    const shop = open({ keeper: createKeeper([intention('*', 'order', 'deny')]) });
    for (const caller of ['cart', 'cart', 'web', 'cart']) await failureOf(shop.orders(caller).getOrder({ orderId: 'o-1' }));
    const lines = shop.log.map(({ name, level, source, destination, method, intention: rule }) => [name, level, source, destination, method, rule]);
    expect(lines).to.deep.equal(['cart', 'web'].map((source) => ['audit', 'warn', source, 'order', GET_ORDER, '* => order']));
    expect(shop.log[0]?.['trace_id']).to.match(/^[0-9a-f]{32}$/);
  });

  it('stands in what the instance says of itself, with its count', async () => {
    const shop = open({ permissive: true, keeper: createKeeper([intention('cart', 'order', 'deny')]) });
    for (let call = 0; call < 3; call += 1) await failureOf(shop.orders('cart').getOrder({ orderId: 'o-1' }));
    await shop.orders('web').getOrder({ orderId: 'o-1' });
    const outside = callDirectly(await shop.listen());
    try {
      const { guard } = await outside.client(InstanceService).getInstance({});
      expect(guard).to.include({ defaultAction: 1, intentions: 1, allowed: 2n, denied: 3n, otherDeniedCalls: 0n });
      expect(guard?.denials.map(({ source, method, intention: rule, permission, calls }) => [source, method, rule, permission, Number(calls)])).to.deep.equal([
        ['cart', GET_ORDER, 'cart => order', 0, 3],
      ]);
    } finally {
      await outside.stop();
    }
  });
});

describe('the instruments of a guard', () => {
  const open = useGuardedShops();
  let meter: ReadableMeter;
  beforeEach(() => void (meter = createReadableMeter()));
  afterEach(() => meter.stop());

  it('count calls by the answer and by whose word it was', async () => {
    const shop = open({ meter: meter.meter, keeper: createKeeper([intention('cart', 'order', 'deny'), intention('shop', 'order', 'allow')]) });
    for (const caller of ['cart', 'cart', 'shop', 'web']) await shop.orders(caller).getOrder({ orderId: 'o-1' }).catch(() => undefined);
    const checks = (await meter.series('mesh.intentions.checks')).map(([attributes, count]) => [...Object.values(attributes), count]);
    expect(checks).to.have.deep.members([
      ['order', true, 'intention', 1],
      ['order', true, 'default', 1],
      ['order', false, 'intention', 2],
      ['order', false, 'default', 0],
    ]);
  });

  it('count who calls without a certificate', async () => {
    const shop = open({ meter: meter.meter, permissive: true });
    await shop.ordersAt(await shop.listen()).getOrder({ orderId: 'o-1' });
    expect(await meter.series('mesh.calls_without_certificate')).to.deep.equal([[{ 'mesh.service': 'order', 'mesh.refused': false }, 1]]);
  });

  it('count streams that were ended, and calls that are held', async () => {
    const shop = open({ meter: meter.meter });
    const stream = shop.orders('cart').watchOrder({ orderId: 'o-1' })[Symbol.asyncIterator]();
    await stream.next();
    shop.keeper.put(intention('cart', 'order', 'deny'));
    await failureOf(stream.next());
    expect(await meter.series('mesh.intentions.ended_streams')).to.deep.equal([[{ 'mesh.service': 'order' }, 1]]);
    expect(await meter.series('mesh.intentions.held')).to.deep.equal([[{ 'mesh.service': 'order' }, 0]]);
  });
});
