import { expect } from 'chai';

import { createPostgresBus, EVENT_LOG_SCHEMA, type Event, type EventBus, eventLogMigrations } from '#events';
import { silentLog, systemClock, systemRandom } from '#kit';
import { openTestDatabase } from './open-test-database.ts';
import { runSql } from './postgres-fixture.ts';
import { allowed, makeRoles, type RolesFixture, rowsOf } from './roles-fixture.ts';
import { until } from './until.ts';

const TOPIC = 'shop.order.v1';

const PAST_THE_FUNCTIONS = {
  'write events': `INSERT INTO event_log.event (topic, bucket, id, source, type, subject, time, data) VALUES ('t', 0, 'i', 's', 'y', 'u', now(), '{}')`,
  'change events': 'UPDATE event_log.event SET data = data',
  'remove events': 'DELETE FROM event_log.event',
  'move a group': 'UPDATE event_log.group_bucket SET position = 0',
  'join a group': `INSERT INTO event_log.group_member VALUES ('g', 'm', '{}', now())`,
  'run what is not for it': `SELECT event_log.rebalance('g', 'm', '{}', 1000)`,
  'change a function': 'ALTER FUNCTION event_log.leave(text, text) SECURITY INVOKER',
  'empty the log': 'TRUNCATE event_log.event',
  'write which migrations were applied': 'DELETE FROM event_log.migration_event_log',
} as const;

const eventOf = (subject: string): Event => ({
  id: `id-${subject}`,
  source: '/shop/order',
  type: `${TOPIC}.OrderPlaced`,
  subject,
  time: new Date(),
  data: { orderId: subject },
  traceparent: undefined,
});

describe('the role that uses the event log', function () {
  this.timeout(20_000);
  let roles: RolesFixture;
  before(async () => {
    roles = await makeRoles();
    await roles.migrate(EVENT_LOG_SCHEMA, [eventLogMigrations]);
    await roles.grant(EVENT_LOG_SCHEMA, [eventLogMigrations], 'functions');
  });
  after(() => roles?.remove());

  function openBus(sweeping: { readonly retentionMs?: number; readonly sweepEveryMs?: number } = {}): EventBus {
    const database = openTestDatabase({ url: roles.roleUrl(EVENT_LOG_SCHEMA), schema: EVENT_LOG_SCHEMA });
    const bus = createPostgresBus({ database, clock: systemClock, random: systemRandom, log: silentLog, ...sweeping });
    return { ...bus, stop: () => bus.stop().finally(database.stop) };
  }

  it('publishes, consumes, reads, and measures how far a group is behind', async () => {
    const bus = openBus();
    const got: string[] = [];
    await bus.publish([eventOf('o1'), eventOf('o2')]);
    expect((await bus.read(TOPIC, '', 10)).map(({ event }) => event.subject)).to.deep.equal(['o1', 'o2']);
    expect((await bus.lag('billing', [TOPIC])).map(({ events }) => events)).to.deep.equal([2]);
    const subscription = bus.subscribe({ group: 'billing', topics: [TOPIC], deliver: async ({ subject }) => void got.push(subject) });
    await until('both are delivered', () => got.length === 2);
    await subscription.stop();
    expect((await bus.lag('billing', [TOPIC])).map(({ events }) => events)).to.deep.equal([0]);
    await bus.stop();
  });

  it('has old events removed', async () => {
    const bus = openBus({ retentionMs: 0, sweepEveryMs: 20 });
    await bus.publish([eventOf('o3')]);
    await until('they are gone', async () => (await bus.read(TOPIC, '', 10)).length === 0);
    await bus.stop();
  });

  it('cannot get past the functions', async () => {
    expect(await allowed(roles.roleUrl(EVENT_LOG_SCHEMA), PAST_THE_FUNCTIONS)).to.deep.equal([]);
  });

  it('could, were it let in as a service is to its own tables', async () => {
    await roles.grant(EVENT_LOG_SCHEMA, [eventLogMigrations], 'tables');
    expect(await allowed(roles.roleUrl(EVENT_LOG_SCHEMA), PAST_THE_FUNCTIONS)).to.include.members(['write events', 'change events', 'remove events', 'move a group', 'join a group']);
    await roles.grant(EVENT_LOG_SCHEMA, [eventLogMigrations], 'functions');
    expect(await allowed(roles.roleUrl(EVENT_LOG_SCHEMA), PAST_THE_FUNCTIONS)).to.deep.equal([]);
  });

  it('cannot slip tables of its own under the functions that run as the owner', async () => {
    const database = new URL(roles.url).pathname.slice(1);
    const role = roles.role(EVENT_LOG_SCHEMA);
    // Where somebody lets it make temporary tables, which are looked into first unless the path names them.
    await runSql(roles.url, `GRANT TEMPORARY ON DATABASE ${database} TO "${role}"`);
    const trap = openTestDatabase({ url: roles.roleUrl(EVENT_LOG_SCHEMA), schema: EVENT_LOG_SCHEMA, maxConnections: 1 });
    await trap.query({ name: 'test.trap', text: 'CREATE TEMP TABLE group_member (for_group text, member text, topics text[], alive_until timestamptz)' }, []);
    await trap.query({ name: 'test.spring', text: `SELECT FROM event_log.fetch('trapped', 'm', '{${TOPIC}}', 1, 5000)` }, []);
    await trap.stop();
    expect(await rowsOf(roles.url, `SELECT member FROM event_log.group_member WHERE for_group = 'trapped'`)).to.deep.equal([{ member: 'm' }]);
    await runSql(roles.url, `REVOKE TEMPORARY ON DATABASE ${database} FROM "${role}"`);
  });

  it('has only functions with a fixed path that run as the owner', async () => {
    const text = `SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'event_log'::regnamespace AND prosecdef ORDER BY 1`;
    const found = await rowsOf(roles.url, text);
    expect(found.map(({ proname }) => proname)).to.deep.equal(['commit', 'fetch', 'leave', 'publish', 'sweep']);
    // A function that these call has its own path in place of theirs.
    const others = await rowsOf(roles.url, `SELECT proconfig FROM pg_proc WHERE pronamespace = 'event_log'::regnamespace AND proconfig IS NOT NULL`);
    for (const { proconfig } of [...found, ...others]) expect(proconfig).to.deep.equal(['search_path=event_log, pg_temp']);
  });
});
