import { expect } from 'chai';

import type { Database, Statement } from '#database';
import type { EventBus } from '#events';
import { refusal } from '#kit';

import { until } from '../database/until.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { type EventBench, firstNumbers, numbered, startEventBench, upTo } from './event-bench.ts';

describe('outbox relays that meet trouble', () => {
  let bench: EventBench;
  before(async function () {
    this.timeout(20_000);
    bench = await startEventBench();
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  const isEmpty = async (): Promise<boolean> => (await bench.count('outbox')) === 0;

  it('work one at a time; another one takes over when the lease has run out', async () => {
    const { promise: paused, resolve: wake } = Promise.withResolvers<void>();
    let isPaused = false;
    const beforePublish = async (): Promise<void> => {
      isPaused = true;
      await paused;
    };
    const first = bench.relayOf({ batchSize: 5, hooks: { beforePublish } });
    const second = bench.relayOf();
    await bench.append(upTo(8).map((number) => numbered('a', number)));
    first.start();
    await until('the first one has it', () => isPaused);
    second.start();
    await until('the second one has taken over', isEmpty);
    expect(second.read()).to.include({ published: 8, failures: 0 });
    // It wakes, and has no way to know that it was away.
    wake();
    await until('the first one has repeated its batch', () => first.read().published === 5);
    const published = await bench.published();
    expect(published).to.have.length(13);
    expect(firstNumbers(published)).to.deep.equal({ a: upTo(8) });
  });

  it('read no more than one event of an outbox that another one has', async () => {
    const { promise: paused, resolve: wake } = Promise.withResolvers<void>();
    const first = bench.relayOf({ batchSize: 5, leaseMs: 60_000, hooks: { beforePublish: () => paused } });
    await bench.append(upTo(9).map((number) => numbered('a', number)));
    const read: number[] = [];
    const database = bench.open();
    const counting: Database = {
      ...database,
      async query<Row extends object>(statement: Statement, values: readonly unknown[]) {
        const rows = await database.query<Row>(statement, values);
        if (statement.name === 'outbox.take') read.push(rows.length);
        return rows;
      },
    };
    first.start();
    await until('the first one has it', async () => (await holders(bench)) === 1);
    bench.relayOf({ database: counting }).start();
    await until('the second one has looked some times', () => read.length > 3);
    expect(new Set(read)).to.deep.equal(new Set([1]));
    wake();
    await until('all are published', isEmpty);
  });

  it('hand their outbox over at once when they stop', async () => {
    const first = bench.relayOf({ leaseMs: 60_000 });
    first.start();
    await bench.append([numbered('a', 1)]);
    await until('the first one has published', isEmpty);
    bench.relayOf({ leaseMs: 60_000 }).start();
    await first.stop();
    await bench.append([numbered('a', 2)]);
    await until('the second one publishes', isEmpty);
    expect(await bench.published()).to.have.length(2);
  });

  it('wait while the bus is away, say so once, and say once that it is back', async () => {
    let isAway = true;
    const bus: Pick<EventBus, 'publish'> = {
      publish: (events) => (isAway ? Promise.reject(refusal('EVENT_BUS_UNAVAILABLE', 'gone')) : bench.bus.publish(events)),
    };
    const { log, lines } = captureLog();
    const relay = bench.relayOf({ bus, log });
    relay.start();
    await bench.append([numbered('a', 1)]);
    await until('it has tried some times', () => relay.read().failures >= 3);
    await bench.append([numbered('a', 2)]);
    expect((await relay.lag()).events).to.equal(2);
    isAway = false;
    await until('all are published', isEmpty);
    await until('it has said so', () => lines.length === 2);
    expect(lines.map(({ msg }) => msg)).to.deep.equal(['events wait in the outbox; they are published when it is possible again', 'events are published again']);
    expect(firstNumbers(await bench.published())).to.deep.equal({ a: [1, 2] });
  });

  it('say the same once each, though they take turns', async () => {
    const away: Pick<EventBus, 'publish'> = { publish: () => Promise.reject(refusal('EVENT_BUS_UNAVAILABLE', 'gone')) };
    const { log, lines } = captureLog();
    const relays = [1, 2].map(() => bench.relayOf({ bus: away, log, leaseMs: 20 }));
    for (const relay of relays) relay.start();
    await bench.append([numbered('a', 1)]);
    await until('both have tried some times', () => relays.every((relay) => relay.read().failures >= 3));
    expect(lines, 'one of each').to.have.length(2);
  });

  it('set aside what the bus will never take, and go on with the others', async () => {
    const bus: Pick<EventBus, 'publish'> = {
      async publish(events) {
        if (events.some(({ data }) => data['reason'] === '2')) throw refusal('MESSAGE_TOO_LARGE', 'more than this broker takes');
        await bench.bus.publish(events);
      },
    };
    const relay = bench.relayOf({ bus });
    await bench.append(upTo(3).map((number) => numbered('a', number)));
    relay.start();
    await until('the others are published', async () => (await relay.lag()).events === 0);
    expect(firstNumbers(await bench.published())).to.deep.equal({ a: [1, 3] });
    expect((await relay.lag()).refused).to.equal(1);
    expect(relay.read()).to.include({ published: 2, refused: 1 });
  });
});

async function holders({ database }: EventBench): Promise<number> {
  const [row] = await database.query<{ holders: number }>({ name: 'test.holders', text: `SELECT count(*)::int AS holders FROM outbox_relay WHERE lease_until > now()` }, []);
  return row?.holders ?? 0;
}
