import { expect } from 'chai';

import type { Database } from '#database';
import { type Event, EVENT_LOG_SCHEMA } from '#events';

import { runSql } from '../database/postgres-fixture.ts';
import { until } from '../database/until.ts';
import { type EventBench, firstNumbers, numbered, ORDERS, startEventBench, upTo } from './event-bench.ts';
import { bucketsOf, type Fetched, sqlMember, type SqlMember, SUBJECTS } from './sql-member.ts';

describe('members of a group at the log in Postgres', () => {
  let bench: EventBench;
  let database: Database;
  before(async function () {
    this.timeout(20_000);
    bench = await startEventBench();
  });
  beforeEach(() => void (database = bench.open({ schema: EVENT_LOG_SCHEMA })));
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  const publishToAll = (): Promise<void> => bench.bus.publish(SUBJECTS.map((subject) => numbered(subject, 1)));
  const shares = async (): Promise<string> => Object.values(await bucketsOf(database)).sort().join();

  it('get their shares, one that comes the surplus of the others', async () => {
    const [a, b, c] = [sqlMember(database, 'a', 'g', 600), sqlMember(database, 'b', 'g', 600), sqlMember(database, 'c', 'g', 600)];
    const sharedBy = async (members: SqlMember[]): Promise<string> => {
      for (const member of members) await member.fetch();
      return shares();
    };
    expect(await sharedBy([a])).to.equal('16');
    await until('two share', async () => (await sharedBy([a, b])) === '8,8');
    await until('three share', async () => (await sharedBy([a, b, c])) === '4,6,6');
    await a.leave();
    await until('two share again', async () => (await sharedBy([b, c])) === '8,8');
  });

  it('get each event once between them, and so does every other group', async () => {
    await publishToAll();
    const [a, b] = [sqlMember(database, 'a'), sqlMember(database, 'b')];
    let got: Fetched[] = [];
    await until('they share', async () => {
      const [of, other] = [await a.fetch(), await b.fetch()];
      got = [...of, ...other];
      return of.length > 0 && other.length > 0 && got.length === SUBJECTS.length;
    });
    expect(got.map(({ subject }) => subject)).to.have.members(SUBJECTS);
    expect(await sqlMember(database, 'x', 'other').fetch()).to.have.length(SUBJECTS.length);
  });

  it('lose their buckets when their lease has run out, and write nothing then', async () => {
    await publishToAll();
    const [dies, heir] = [sqlMember(database, 'dies', 'g', 60_000), sqlMember(database, 'heir', 'g', 60_000)];
    const [event] = await dies.fetch();
    if (!event) return expect.fail('it got nothing');
    expect(await heir.fetch()).to.have.length(0);
    await dies.expire();
    const inherited = await heir.fetch();
    expect(inherited).to.have.length(SUBJECTS.length);
    expect(await dies.commit(event)).to.equal(0);
    const again = inherited.find(({ position }) => position === event.position);
    expect(again?.fence).to.equal(event.fence + 1n);
    // The fence counts, and not only the name: it may come back and have the bucket anew.
    expect(await heir.commit(event)).to.equal(0);
    expect(await heir.commit({ ...event, ...again })).to.equal(1);
  });

  it('keep what nobody has taken from them, though their lease has run out', async () => {
    await publishToAll();
    const member = sqlMember(database, 'm');
    const [event] = await member.fetch();
    await member.expire();
    expect(await member.fetch()).to.have.length(SUBJECTS.length);
    expect(event && (await member.commit(event))).to.equal(1);
  });

  it('never take a position back', async () => {
    await bench.bus.publish([numbered('a', 1), numbered('a', 2)]);
    const member = sqlMember(database, 'm');
    const [one, two] = await member.fetch();
    if (!one || !two) return expect.fail('it got nothing');
    await member.commit(two);
    await member.commit(one);
    expect(await member.fetch()).to.have.length(0);
  });

  it('take the lock of their group before any row, so that none waits for another in a circle', async () => {
    const [a, b] = [sqlMember(database, 'a', 'g', 60_000), sqlMember(database, 'b', 'g', 60_000)];
    await a.fetch();
    await b.fetch();
    await runSql(bench.url, `UPDATE event_log.group_bucket SET leaving = true WHERE member = 'a' AND bucket < 8`);
    let fetching: Promise<unknown> = Promise.resolve();
    await database.transaction('test.lock', async (tx) => {
      await tx.query({ name: 'test.lock', text: `SELECT pg_advisory_xact_lock(hashtextextended('event_log group g', 0))` }, []);
      fetching = a.fetch();
      const waiting = `SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
      await until('it waits for the lock', async () => (await database.query({ name: 'test.waiting', text: waiting }, [])).length === 1);
      // As another member does that has the lock; it would wait for ever where the rows were locked.
      await tx.query({ name: 'test.rows', text: `SELECT FROM event_log.group_bucket WHERE for_group = 'g' FOR UPDATE NOWAIT` }, []);
    });
    await fetching;
    await b.fetch();
    expect(await shares()).to.equal('8,8');
  });

  it('go on with the other buckets when many have events that nobody can take', async () => {
    const got = new Set<string>();
    const deliver = async ({ subject }: Event): Promise<void> => {
      if (stuck.has(subject)) throw new Error('in vain');
      got.add(subject);
    };
    const bucket = { name: 'test.bucket', text: 'SELECT event_log.bucket_of($1) AS bucket' };
    const stuck = new Set<string>();
    for (const subject of SUBJECTS) {
      const [row] = await database.query<{ bucket: number }>(bucket, [subject]);
      if (row && row.bucket < 8) stuck.add(subject);
    }
    // More than is fetched ahead of the stuck ones, before anything else.
    await bench.bus.publish(upTo(40).flatMap((number) => [...stuck].map((subject) => numbered(subject, number))));
    const others = SUBJECTS.filter((subject) => !stuck.has(subject));
    await bench.bus.publish(others.map((subject) => numbered(subject, 1)));
    bench.busOf().subscribe({ group: 'g', topics: [ORDERS], deliver });
    await until('the others are delivered', () => got.size === others.length);
  });

  it('hand over in peace: nothing comes out of turn, at once, or twice', async () => {
    const got: Event[] = [];
    const inHand = new Map<string, number>();
    let together = 0;
    const deliver = async (event: Event): Promise<void> => {
      inHand.set(event.subject, (inHand.get(event.subject) ?? 0) + 1);
      together = Math.max(together, inHand.get(event.subject) ?? 0);
      await new Promise((resolve) => setImmediate(resolve));
      inHand.set(event.subject, (inHand.get(event.subject) ?? 0) - 1);
      got.push(event);
    };
    const subjects = SUBJECTS.slice(0, 20);
    const publish = (number: number): Promise<void> => bench.bus.publish(subjects.map((subject) => numbered(subject, number)));
    const join = () => bench.busOf({ leaseMs: 3_000 }).subscribe({ group: 'g', topics: [ORDERS], deliver });
    join();
    for (const number of upTo(10)) await publish(number);
    const second = join();
    for (const number of upTo(10)) await publish(10 + number);
    await until('both have a share', async () => (await shares()) === '8,8');
    for (const number of upTo(10)) await publish(20 + number);
    await second.stop();
    for (const number of upTo(10)) await publish(30 + number);
    await until('all are delivered', () => new Set(got.map(({ id }) => id)).size === 40 * subjects.length);
    expect(together).to.equal(1);
    expect(firstNumbers(got)).to.deep.equal(Object.fromEntries(subjects.map((subject) => [subject, upTo(40)])));
    expect(got).to.have.length(40 * subjects.length);
  });
});
