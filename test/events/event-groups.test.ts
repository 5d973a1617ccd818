import { expect } from 'chai';

import type { Event } from '#events';
import { refusal } from '#kit';
import { OrderCancelledSchema } from '#proto/shop/order/v1/order_events_pb.js';

import { until } from '../database/until.ts';
import { createWriter, deliverBehind, eventsOf, handlerOf, numberOf } from './effect-writer.ts';
import { numbered } from './event-bench.ts';
import { effectHandler, useHandBench } from './hand-consumer.ts';
import { createHold } from './hold.ts';

const ENTER = { name: 'test.enter', text: 'INSERT INTO inbox (for_group, event_id) VALUES ($1, $2)' };
const WAITING = { name: 'test.waiting', text: `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'` };

describe('events that come together', () => {
  const hand = useHandBench();
  const { start, numbers } = hand;

  it('are handled in one transaction, and written together in the order in which they came', async () => {
    let commits = 0;
    const database = hand.bench.open({ hooks: { beforeCommit: (name) => void (commits += name === 'event.consume' ? 1 : 0) } });
    const hold = createHold();
    const { calls, write } = createWriter(hold.pass);
    const { bus, consumer } = start({ database, handlers: [handlerOf(write)] });
    await deliverBehind(bus, hold, eventsOf(1, 4, 2, 3));
    expect(calls).to.deep.equal([[1], [4, 2, 3]]);
    expect(commits).to.equal(2);
    expect(await numbers()).to.deep.equal([1, 4, 2, 3]);
    expect(consumer.read()).to.include({ handled: 4, duplicate: 0 });
  });

  const mixed = (): Event[] => eventsOf(1, 2, 3, 4).map((event) => (numberOf(event) === 3 ? { ...event, type: OrderCancelledSchema.typeName } : event));

  it('go to the writer they share, also from several contracts', async () => {
    const hold = createHold();
    const { calls, write } = createWriter(hold.pass);
    const { bus } = start({ handlers: [handlerOf(write), handlerOf(write, OrderCancelledSchema)] });
    await deliverBehind(bus, hold, mixed());
    expect(calls).to.deep.equal([[1], [2, 3, 4]]);
  });

  it('go to different writers one after another', async () => {
    const hold = createHold();
    const [one, other] = [createWriter(hold.pass), createWriter(hold.pass)];
    const { bus } = start({ handlers: [handlerOf(one.write), handlerOf(other.write, OrderCancelledSchema)] });
    await deliverBehind(bus, hold, mixed());
    expect([one.calls, other.calls]).to.deep.equal([[[1], [2, 4]], [[3]]]);
    expect(await numbers()).to.deep.equal([1, 2, 4, 3]);
  });

  it('have one effect where two of them are the same event, and two where the inbox is off', async () => {
    for (const [withoutInbox, effects] of [[false, [1, 2]], [true, [1, 2, 2]]] as const) {
      const hold = createHold();
      const { calls, write } = createWriter(hold.pass);
      const { bus, consumer } = start({ handlers: [handlerOf(write)], hooks: { withoutInbox } });
      const twice = numbered('b', 2);
      await deliverBehind(bus, hold, [numbered('a', 1), twice, twice]);
      expect(calls).to.deep.equal(withoutInbox ? [[1], [2, 2]] : [[1], [2]]);
      expect(await numbers()).to.deep.equal(effects);
      expect(consumer.read()).to.include({ handled: effects.length, duplicate: 3 - effects.length });
      await hand.bench.clear();
    }
  });

  it('are handled without the one among them that fails, which is tried again by itself and is a dead letter', async () => {
    const hold = createHold();
    const { calls, write } = createWriter(async (given) => {
      await hold.pass();
      if (given.includes(3)) throw refusal('USER_NOT_FOUND', 'nobody has this id');
    });
    const { bus, consumer } = start({ maxTries: 3, handlers: [handlerOf(write)] });
    await deliverBehind(bus, hold, eventsOf(1, 2, 3, 4));
    expect((await numbers()).toSorted()).to.deep.equal([1, 2, 4]);
    expect(consumer.read()).to.include({ handled: 3, retried: 2, dead: 1 });
    expect((await hand.bench.letters()).map(({ reason, tries }) => [reason, tries])).to.deep.equal([['USER_NOT_FOUND', 3]]);
    // Together, each by itself, and two more tries of the one.
    expect(calls.filter((given) => given.length > 1)).to.deep.equal([[2, 3, 4]]);
    expect(calls.filter(([number]) => number === 3)).to.have.length(3);
  });

  it('hold up no other while one of them is tried again', async () => {
    const hold = createHold();
    let tries = 0;
    const handler = effectHandler(async (_tx, event) => {
      if (numberOf(event) !== 1) return;
      tries += 1;
      if (tries === 1) throw new Error('flaky');
      await hold.pass();
    });
    const { bus } = start({ handlers: [handler] });
    const handled = bus.deliver(numbered('a', 1));
    await until('it is tried again', hold.isReached);
    for (const event of eventsOf(2, 3)) await bus.deliver(event);
    expect(await numbers()).to.deep.equal([2, 3]);
    hold.open();
    await handled;
    expect(await numbers()).to.have.members([1, 2, 3]);
  });

  for (const concurrency of [undefined, 2]) {
    it(`are handled in ${concurrency ?? 1} at a time of their groups and no more`, async () => {
      const holds = [1, 2, 3].map(createHold);
      const { calls, write } = createWriter(async ([number = 0]) => holds[number - 1]?.pass());
      const { bus } = start({ handlers: [handlerOf(write)], ...(concurrency !== undefined && { concurrency }) });
      const atOnce = concurrency ?? 1;
      const all: Promise<void>[] = [];
      for (const [index, event] of eventsOf(1, 2, 3).entries()) {
        all.push(bus.deliver(event));
        if (index < atOnce) await until('it is on its way', () => calls.length === index + 1);
      }
      // A round trip, in which a further group would have begun.
      expect(await numbers()).to.deep.equal([]);
      expect(calls).to.have.length(atOnce);
      for (const hold of holds) hold.open();
      await Promise.all(all);
      expect(await numbers()).to.have.members([1, 2, 3]);
    });
  }

  it('are nothing to others before all of them are committed, and are told of one by one', async () => {
    const seen: [number, number][] = [];
    const hold = createHold();
    const afterDeliver = async (event: Event): Promise<void> => void seen.push([numberOf(event), await hand.bench.count('effect')]);
    const { bus } = start({ hooks: { afterDeliver }, handlers: [handlerOf(createWriter(hold.pass).write)] });
    await deliverBehind(bus, hold, eventsOf(1, 2, 3, 4));
    expect(seen).to.deep.equal([[1, 0], [2, 1], [3, 1], [4, 1]]);
  });

  it('have had no effect, any of them, when the process fails before it commits, and have it once when it is back', async () => {
    const hold = createHold();
    let passes = 0;
    const afterDeliver = (): void => {
      passes += 1;
      if (passes === 3) throw refusal('UNREACHABLE', 'gone');
    };
    const { bus, consumer } = start({ hooks: { afterDeliver }, handlers: [handlerOf(createWriter(hold.pass).write)] });
    await deliverBehind(bus, hold, eventsOf(1, 2, 3, 4));
    expect((await numbers()).toSorted()).to.deep.equal([1, 2, 3, 4]);
    expect(consumer.read()).to.include({ handled: 4, retried: 3, dead: 0 });
  });

  it('are entered in the inbox in the order of their ids, so that no two instances wait for each other in a circle', async () => {
    const [low, middle, high] = [{ ...numbered('a', 1), id: '1' }, { ...numbered('b', 2), id: '2' }, { ...numbered('c', 3), id: '3' }];
    const one = start();
    const other = start();
    const held = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const foreign = hand.bench.database.transaction('test.hold', async (tx) => {
      await tx.query(ENTER, ['effects', middle.id]);
      entered.resolve();
      await held.promise;
    });
    await entered.promise;
    const group = Promise.all([high, low, middle].map((event) => one.bus.deliver(event)));
    try {
      await until('it waits for the one in the middle', async () => (await hand.bench.database.query(WAITING, [])).length === 1);
      // It would wait for the first instance, had that entered them as they came.
      const handled = other.bus.deliver(high);
      await until('another instance has handled the last', async () => (await numbers()).includes(3), 3_000);
      await handled;
    } finally {
      held.resolve();
    }
    await foreign;
    await group;
    expect(await numbers()).to.deep.equal([3, 1]);
    expect(one.consumer.read()).to.include({ handled: 1, duplicate: 2, retried: 0 });
  });
});
