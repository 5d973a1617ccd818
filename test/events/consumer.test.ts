import { expect } from 'chai';

import { on } from '#events';
import { OrderPlacedSchema } from '#proto/shop/order/v1/order_events_pb.js';
import { ShipmentScheduledSchema } from '#proto/shop/shipping/v1/shipping_events_pb.js';

import { runSql } from '../database/postgres-fixture.ts';
import { until } from '../database/until.ts';
import { numbered } from './event-bench.ts';
import { effectHandler, useHandBench } from './hand-consumer.ts';

describe('consumer', () => {
  const hand = useHandBench();
  const { start, numbers } = hand;

  it('subscribes to what its handlers are for, and reads events by their contracts', async () => {
    const read: unknown[] = [];
    const handlers = [
      on(OrderPlacedSchema, async (_tx, { total }) => void read.push(total)),
      effectHandler(() => undefined),
      on(ShipmentScheduledSchema, async () => undefined),
    ];
    const { bus } = start({ handlers });
    expect(bus.topics()).to.deep.equal(['shop.order.v1', 'shop.shipping.v1']);
    const data = { orderId: 'a', total: { currencyCode: 'EUR', units: '5' }, fieldOfNextYear: [1] };
    await bus.deliver({ ...numbered('a', 1), type: OrderPlacedSchema.typeName, data });
    expect(read).to.deep.include.members([{ $typeName: 'google.type.Money', currencyCode: 'EUR', units: 5n, nanos: 0 }]);
  });

  it('passes over types that it has no handler for', async () => {
    const { bus, consumer } = start();
    await bus.deliver({ ...numbered('a', 1), type: 'shop.order.v1.OrderPainted' });
    expect(consumer.read()).to.include({ skipped: 1, handled: 0 });
    expect(await hand.bench.count('inbox')).to.equal(0);
  });

  it('has the effect of an event once, however often it is delivered, also at once', async () => {
    const { bus, consumer } = start();
    const events = [1, 2, 3].map((number) => numbered('a', number));
    for (const event of events) await Promise.all([bus.deliver(event), bus.deliver(event), bus.deliver(event)]);
    expect(await numbers()).to.deep.equal([1, 2, 3]);
    expect(consumer.read()).to.include({ handled: 3, duplicate: 6 });
  });

  it('has it as often as it is delivered when the inbox is off: that is what the inbox is for', async () => {
    const { bus } = start({ hooks: { withoutInbox: true } });
    const event = numbered('a', 1);
    for (const _time of [1, 2, 3]) await bus.deliver(event);
    expect(await numbers()).to.deep.equal([1, 1, 1]);
  });

  it('has it once for each of its groups', async () => {
    const event = numbered('a', 1);
    for (const group of ['mail', 'books']) await start({ group }).bus.deliver(event);
    expect((await hand.bench.effects()).map(({ group }) => group)).to.have.members(['mail', 'books']);
  });

  it('that dies before it commits has had no effect; one that dies after it is not delivered the event again in vain', async () => {
    let deaths = 0;
    const dieOnce = (): void => {
      deaths += 1;
      if (deaths === 1) throw new Error('killed');
    };
    const event = numbered('a', 1);
    await start({ hooks: { afterDeliver: dieOnce } }).bus.deliver(event);
    expect(await numbers()).to.deep.equal([1]);
    deaths = 0;
    const { bus, consumer } = start({ hooks: { afterCommit: dieOnce } });
    const other = numbered('a', 2);
    await bus.deliver(other).catch(() => undefined);
    await bus.deliver(other);
    expect(await numbers()).to.deep.equal([1, 2]);
    expect(consumer.read()).to.include({ handled: 1, duplicate: 1 });
  });

  it('forgets what it has handled when the bus cannot deliver it any more', async () => {
    const { bus } = start({ sweepEveryMs: 20, inboxRetentionMs: 60_000 });
    const old = { ...numbered('a', 1), id: '00000000-0000-7000-8000-000000000000' };
    await bus.deliver(old);
    await bus.deliver(numbered('a', 2));
    expect(await hand.bench.count('inbox'), 'handled just now, old as it is').to.equal(2);
    await runSql(hand.bench.url, `UPDATE shop.inbox SET time = now() - interval '2 minutes' WHERE event_id = '${old.id}'`);
    await until('it is gone', async () => (await hand.bench.count('inbox')) === 1);
  });
});
