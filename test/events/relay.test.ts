import { expect } from 'chai';

import { appendEvent, appendEvents, type Event, MAX_EVENT_BYTES } from '#events';

import { expectRefusal } from '../database/expect-refusal.ts';
import { runSql } from '../database/postgres-fixture.ts';
import { until } from '../database/until.ts';
import { type EventBench, firstNumbers, numbered, startEventBench, upTo } from './event-bench.ts';

describe('outbox relay', () => {
  let bench: EventBench;
  before(async function () {
    this.timeout(20_000);
    bench = await startEventBench();
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  const isEmpty = async (): Promise<boolean> => (await bench.count('outbox')) === 0;

  it('publishes events of one subject in the order in which they were written, and empties the outbox', async () => {
    bench.relayOf({ batchSize: 7 }).start();
    for (const number of upTo(30)) await bench.append([numbered('a', number), numbered('b', number)]);
    await until('all are published', isEmpty);
    expect(firstNumbers(await bench.published())).to.deep.equal({ a: upTo(30), b: upTo(30) });
  });

  it('keeps every attribute of an event, and its text, whatever it is', async () => {
    const event = { ...numbered('ordre №1 "x" \\ 🛒', 1), traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    await appendEvent(bench.database, event);
    await bench.append([{ ...event, id: 'another' }]);
    bench.relayOf().start();
    await until('it is published', isEmpty);
    expect(await bench.published()).to.deep.equal([event, { ...event, id: 'another' }]);
  });

  it('passes over nothing that was given a lower position and commits later', async () => {
    const relay = bench.relayOf();
    const { promise: held, resolve: commit } = Promise.withResolvers<void>();
    const { promise: written, resolve: tell } = Promise.withResolvers<void>();
    const slow = bench.database.transaction('test.slow', async (tx) => {
      await appendEvents(tx, [numbered('slow', 1)]);
      tell();
      await held;
    });
    await written;
    await bench.append([numbered('quick', 1)]);
    relay.start();
    await until('the later one is published', async () => (await bench.published()).length === 1);
    commit();
    await slow;
    await until('the earlier one is, too', async () => (await bench.published()).length === 2);
    expect((await bench.published()).map(({ subject }) => subject)).to.deep.equal(['quick', 'slow']);
  });

  it('keeps the order of transactions that run at once, where each locks its subject first', async () => {
    await runSql(bench.url, `DROP TABLE IF EXISTS shop.counter; CREATE TABLE shop.counter (subject text PRIMARY KEY, n int); INSERT INTO shop.counter VALUES ('a', 0), ('b', 0)`);
    const step = { name: 'test.step', text: 'UPDATE counter SET n = n + 1 WHERE subject = $1 RETURNING n' };
    bench.relayOf({ batchSize: 3 }).start();
    const write = (subject: string): Promise<void> =>
      bench.database.transaction('test.step', async (tx) => {
        const [row] = await tx.query<{ n: number }>(step, [subject]);
        await appendEvents(tx, [numbered(subject, row?.n ?? 0)]);
      });
    await Promise.all(upTo(60).map((index) => write(index % 2 === 0 ? 'a' : 'b')));
    await until('all are published', isEmpty);
    expect(firstNumbers(await bench.published())).to.deep.equal({ a: upTo(30), b: upTo(30) });
  });

  it('publishes again what it was killed over before it could note it, and disorders nothing', async () => {
    await bench.append(upTo(10).map((number) => numbered('a', number)));
    let crashes = 0;
    const afterPublish = (): void => {
      crashes += 1;
      if (crashes <= 2) throw new Error('killed');
    };
    bench.relayOf({ batchSize: 4, hooks: { afterPublish } }).start();
    await until('all are published', isEmpty);
    const published = await bench.published();
    expect(published).to.have.length(10 + 2 * 4);
    expect(firstNumbers(published)).to.deep.equal({ a: upTo(10) });
  });

  it('refuses an event that is too large where it is written, and the transaction with it', async () => {
    const event = { ...numbered('a', 1), data: { reason: 'x'.repeat(MAX_EVENT_BYTES) } };
    await expectRefusal('MESSAGE_TOO_LARGE', bench.append([event]));
    await expectRefusal('MESSAGE_TOO_LARGE', appendEvent(bench.database, event));
    expect(await isEmpty()).to.equal(true);
  });

  it('refuses what some consumer could not keep where it is written', async () => {
    for (const more of [{ id: 'x'.repeat(3_000) }, { subject: '\0' }, { data: { reason: '\0' } }]) {
      await expectRefusal('INVALID_ARGUMENT', bench.append([{ ...numbered('a', 1), ...more }]));
      await expectRefusal('INVALID_ARGUMENT', appendEvent(bench.database, { ...numbered('a', 1), ...more }));
    }
    expect(await isEmpty()).to.equal(true);
  });

  it('takes a few of many large events at a time, however well they are compressed where they are stored', async () => {
    const large = (number: number): Event => ({ ...numbered('a', number), data: { reason: String(number), text: 'x'.repeat(800_000) } });
    await bench.append(upTo(4).map(large));
    for (const number of [5, 6, 7, 8]) await appendEvent(bench.database, large(number));
    const batches: number[] = [];
    bench.relayOf({ hooks: { beforePublish: (events) => void batches.push(events.length) } }).start();
    await until('all are published', isEmpty);
    expect(batches, 'the sixth goes beyond 4 MiB').to.deep.equal([6, 2]);
  });

  it('tells how many events wait, and since when', async () => {
    const relay = bench.relayOf();
    expect(await relay.lag()).to.deep.equal({ events: 0, oldestMs: 0, refused: 0 });
    await bench.append([numbered('a', 1), numbered('a', 2)]);
    await runSql(bench.url, `UPDATE shop.outbox SET create_time = now() - interval '10 seconds'`);
    const { events, oldestMs } = await relay.lag();
    expect(events).to.equal(2);
    expect(oldestMs).to.be.within(10_000, 60_000);
  });

  it('is rung when it sleeps, and not when it is awake', async () => {
    const rings: string[] = [];
    await (await bench.open()).listen('shop_outbox', (payload) => rings.push(payload));
    await bench.append([numbered('a', 1)]);
    // It would look again in an hour.
    bench.relayOf({ pollMs: 3_600_000 }).start();
    await until('the first is published', isEmpty);
    await until('it sleeps', () => asleep(bench));
    expect(rings).to.deep.equal([]);
    await appendEvent(bench.database, numbered('a', 2));
    await until('the second is published', isEmpty);
    await until('it was rung', () => rings.length === 1);
    await until('it sleeps again', () => asleep(bench));
    await bench.append([numbered('a', 3)]);
    await until('the third is published', isEmpty);
    await until('it was rung again', () => rings.length === 2);
  });

  it('finds by itself what nobody has rung for', async () => {
    bench.relayOf().start();
    await until('it sleeps', () => asleep(bench));
    // As a process of the version before does.
    await runSql(bench.url, `SET search_path TO shop; INSERT INTO outbox (event_id, type, key, payload) VALUES ('old', 'shop.order.v1.OrderFailed', 'a', '{"reason":"1"}')`);
    await until('it is published', isEmpty);
    const [event] = await bench.published();
    expect(event).to.include({ id: 'old', source: 'shop', subject: 'a' });
  });
});

async function asleep({ database }: EventBench): Promise<boolean> {
  const [row] = await database.query<{ asleep: boolean }>({ name: 'test.asleep', text: 'SELECT asleep FROM outbox_relay' }, []);
  return row?.asleep === true;
}
