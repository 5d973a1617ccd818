import { expect } from 'chai';

import type { Database } from '#database';
import { type Event, EVENT_LOG_SCHEMA } from '#events';

import { expectRefusal } from '../database/expect-refusal.ts';
import { runSql } from '../database/postgres-fixture.ts';
import { until } from '../database/until.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { type EventBench, firstNumbers, numbered, ORDERS, startEventBench } from './event-bench.ts';
import { bucketsOf, sqlMember, SUBJECTS } from './sql-member.ts';

describe('event log in Postgres', () => {
  let bench: EventBench;
  let database: Database;
  before(async function () {
    this.timeout(20_000);
    bench = await startEventBench();
  });
  beforeEach(() => void (database = bench.open({ schema: EVENT_LOG_SCHEMA })));
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  const hasBuckets = async (): Promise<boolean> => Object.values(await bucketsOf(database)).join() === '16';
  const publishToAll = (): Promise<void> => bench.bus.publish(SUBJECTS.map((subject) => numbered(subject, 1)));

  it('gives positions in the order in which events become visible, also to publishers that overlap', async () => {
    const { promise: hold, resolve: commit } = Promise.withResolvers<void>();
    const { promise: written, resolve: tell } = Promise.withResolvers<void>();
    const publish = { name: 'test.publish', text: `SELECT event_log.publish(ARRAY['${ORDERS}'], ARRAY['1'], ARRAY['s'], ARRAY['${ORDERS}.X'], ARRAY['first'], ARRAY[now()], ARRAY['{}'], ARRAY[NULL])` };
    const first = database.transaction('test.publish', async (tx) => {
      await tx.query(publish, []);
      tell();
      await hold;
    });
    await written;
    const second = bench.bus.publish([numbered('second', 1)]);
    await until('the second one waits', async () => (await waiting(database)) === 1);
    expect(await bench.published()).to.have.length(0);
    commit();
    await Promise.all([first, second]);
    expect((await bench.published()).map(({ subject }) => subject)).to.deep.equal(['first', 'second']);
  });

  it('delivers what is published at once to a consumer that would look in an hour', async () => {
    const got: Event[] = [];
    const bus = bench.busOf({ pollMs: 3_600_000, leaseMs: 10_800_000 });
    bus.subscribe({ group: 'g', topics: [ORDERS], deliver: async (event) => void got.push(event) });
    await until('it has its buckets', hasBuckets);
    await bench.bus.publish([numbered('a', 1)]);
    await until('it is delivered', () => got.length === 1);
    await bench.bus.publish([numbered('a', 2)]);
    await until('the next one is, too', () => got.length === 2);
  });

  it('delivers what nobody has told it of', async () => {
    const got: Event[] = [];
    bench.busOf().subscribe({ group: 'g', topics: [ORDERS], deliver: async (event) => void got.push(event) });
    await until('it has its buckets', hasBuckets);
    await runSql(bench.url, `INSERT INTO event_log.event (topic, bucket, id, source, type, subject, time, data) VALUES ('${ORDERS}', 3, 'x', 's', '${ORDERS}.X', 'a', now(), '{}')`);
    await until('it is delivered', () => got.length === 1);
  });

  it('is waited for by publishers and readers while it is away, and made ready before its first use', async () => {
    const away = bench.open({ url: bench.url.replace(/[^/]+$/, 'nowhere'), schema: EVENT_LOG_SCHEMA });
    await expectRefusal('EVENT_BUS_UNAVAILABLE', bench.busOf({ database: away }).publish([numbered('a', 1)]));
    let isReady = false;
    const bus = bench.busOf({
      prepare: async () => {
        if (!isReady) await away.ping();
      },
    });
    await expectRefusal('EVENT_BUS_UNAVAILABLE', bus.publish([numbered('a', 1)]));
    isReady = true;
    await bus.publish([numbered('a', 2)]);
    expect(firstNumbers(await bench.published())).to.deep.equal({ a: [2] });
  });

  it('is read page by page, and refuses a position that is none', async () => {
    await bench.bus.publish(SUBJECTS.map((subject, index) => numbered(subject, index)));
    const read: string[] = [];
    for (let after = ''; read.length < SUBJECTS.length; ) {
      const page = await bench.bus.read(ORDERS, after, 7);
      read.push(...page.map(({ event }) => event.subject));
      after = page.at(-1)?.position ?? expect.fail('it ended early');
    }
    expect(read).to.deep.equal(SUBJECTS);
    await expectRefusal('INVALID_ARGUMENT', bench.bus.read(ORDERS, `1' OR true`, 7));
  });

  it('tells how far a group is behind', async () => {
    await publishToAll();
    expect(await bench.bus.lag('g', [ORDERS, 'shop.none.v1'])).to.have.deep.members([{ topic: ORDERS, events: 80 }, { topic: 'shop.none.v1', events: 0 }]);
    const member = sqlMember(database, 'm');
    const [event] = await member.fetch();
    if (event) await member.commit(event);
    expect(await bench.bus.lag('g', [ORDERS])).to.deep.equal([{ topic: ORDERS, events: 79 }]);
  });

  it('forgets events by their age, and says when a group had not taken them', async () => {
    await publishToAll();
    await sqlMember(database, 'behind').fetch();
    await runSql(bench.url, `UPDATE event_log.event SET publish_time = now() - interval '8 days' WHERE position <= (SELECT min(position) FROM event_log.event) + 39`);
    const left = (await bench.published()).length;
    const { log, lines } = captureLog('error');
    const bus = bench.busOf({ log, sweepEveryMs: 10 });
    await bus.lag('g', [ORDERS]);
    await until('half of them are gone', async () => (await bench.published()).length === left / 2);
    await until('it has said so', () => lines.length === 1);
    expect(lines[0]).to.include({ missed: left / 2 });
  });

  it('does not miss a group that nobody has been a member of for as long as events are kept', async () => {
    await publishToAll();
    await sqlMember(database, 'retired').fetch();
    await runSql(bench.url, `UPDATE event_log.event SET publish_time = now() - interval '8 days'; UPDATE event_log.group_bucket SET seen_time = now() - interval '8 days'`);
    const { log, lines } = captureLog('error');
    await bench.busOf({ log, sweepEveryMs: 10 }).lag('g', [ORDERS]);
    await until('all are gone', async () => (await bench.published()).length === 0);
    expect(lines).to.deep.equal([]);
  });

  it('notes that a group is there', async () => {
    const member = sqlMember(database, 'back', 'g', 600);
    await member.fetch();
    await runSql(bench.url, `UPDATE event_log.group_bucket SET seen_time = now() - interval '8 days'`);
    const seen = { name: 'test.seen', text: `SELECT count(*)::int AS seen FROM event_log.group_bucket WHERE seen_time > now() - interval '1 minute'` };
    await until('its lease is renewed', async () => {
      await member.fetch();
      return (await database.query<{ seen: number }>(seen, []))[0]?.seen === 16;
    });
  });

  it('refuses, also from other languages, what some consumer could not keep', async () => {
    const publish = (id: string, data: string) =>
      database.query({ name: 'test.publish', text: `SELECT event_log.publish(ARRAY['${ORDERS}'], ARRAY[$1], ARRAY['s'], ARRAY['${ORDERS}.X'], ARRAY['a'], ARRAY[now()], ARRAY[$2], ARRAY[NULL])` }, [id, data]);
    for (const [id, data] of [['', '{}'], ['x'.repeat(1_025), '{}'], ['1', '{"a":"\\u0000"}'], ['1', '{"a":"\\ud83d"}'], ['1', '[]'], ['1', '{']] as const) {
      await expectRefusal('INTERNAL', publish(id, data));
    }
    await publish('1', '{"a":"\\ud83d\\ude00"}');
    expect(await bench.published()).to.have.length(1);
  });

  it('hands out a few of many large events at a time, however well they are compressed', async () => {
    const large = (number: number): Event => ({ ...numbered('a', number), data: { text: 'x'.repeat(800_000) } });
    await bench.bus.publish([1, 2, 3, 4, 5, 6, 7, 8].map(large));
    expect(await sqlMember(database, 'm').fetch(), 'the sixth goes beyond 4 MiB').to.have.length(6);
  });
});

async function waiting(database: Database): Promise<number> {
  const text = `SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
  const [row] = await database.query<{ waiting: number }>({ name: 'test.waiting', text }, []);
  return row?.waiting ?? 0;
}
