import { expect } from 'chai';

import type { Database } from '#database';
import { expectRefusal } from './expect-refusal.ts';
import { openTestDatabase } from './open-test-database.ts';
import { createTestDatabase, runSql, type TestDatabase } from './postgres-fixture.ts';
import { until } from './until.ts';

const notify = { name: 'test.notify', text: 'SELECT pg_notify($1, $2)' };
const listening = {
  name: 'test.listening',
  text: `SELECT pid FROM pg_stat_activity WHERE application_name LIKE '% listen' AND datname = current_database()`,
};

describe('listen', () => {
  let place: TestDatabase;
  let database: Database;

  before(async function () {
    this.timeout(20_000);
    place = await createTestDatabase();
  });

  beforeEach(() => void (database = openTestDatabase({ url: place.url })));
  afterEach(() => database.stop());
  after(() => place.drop());

  async function listeners(): Promise<number[]> {
    return (await database.query<{ pid: number }>(listening, [])).map(({ pid }) => pid);
  }

  it('hands each payload to every listener of its channel, over one connection', async () => {
    const heard: string[] = [];
    await database.listen('shop_outbox', (payload) => heard.push(`outbox 1 ${payload}`));
    await database.listen('shop_outbox', (payload) => heard.push(`outbox 2 ${payload}`));
    await database.listen('shop_saga', (payload) => heard.push(`saga ${payload}`));
    await database.query(notify, ['shop_outbox', 'a']);
    await database.query(notify, ['shop_saga', 'x'.repeat(7_999)]);
    await until('all were heard', () => heard.length === 3);
    expect(heard).to.have.members(['outbox 1 a', 'outbox 2 a', `saga ${'x'.repeat(7_999)}`]);
    expect(await listeners()).to.have.length(1);
  });

  it('is silent after stop, also of one of two', async () => {
    const heard: string[] = [];
    const first = await database.listen('shop_outbox', (payload) => heard.push(`1 ${payload}`));
    const second = await database.listen('shop_outbox', (payload) => heard.push(`2 ${payload}`));
    await database.listen('shop_end', (payload) => heard.push(payload));
    await first.stop();
    await database.query(notify, ['shop_outbox', 'a']);
    await until('the second one heard it', () => heard.length > 0);
    await second.stop();
    await second.stop();
    await database.query(notify, ['shop_outbox', 'b']);
    await database.query(notify, ['shop_end', 'end']);
    await until('the end was heard', () => heard.includes('end'));
    expect(heard).to.deep.equal(['2 a', 'end']);
  });

  it('reconnects, tells listeners to look for themselves, and goes on', async () => {
    const heard: string[] = [];
    await database.listen('shop_outbox', (payload) => heard.push(payload));
    const [pid = 0] = await listeners();
    await runSql(place.url, `SELECT pg_terminate_backend(${pid})`);
    await until('it asked to look', () => heard.length === 1);
    await database.query(notify, ['shop_outbox', 'again']);
    await until('it hears again', () => heard.length === 2);
    expect(heard).to.deep.equal(['', 'again']);
  });

  it('outlives a listener that throws', async () => {
    const heard: string[] = [];
    await database.listen('shop_outbox', (payload) => {
      heard.push(payload);
      throw new Error('clumsy');
    });
    await database.query(notify, ['shop_outbox', 'a']);
    await database.query(notify, ['shop_outbox', 'b']);
    await until('both were heard', () => heard.length === 2);
  });

  it('leaves no connection after stop, also when the database never answered', async () => {
    await database.listen('shop_outbox', () => undefined);
    const other = openTestDatabase({ url: place.url.replace(/[^/]+$/, 'nowhere') });
    await other.listen('shop_outbox', () => undefined);
    await other.stop();
    await database.stop();
    database = openTestDatabase({ url: place.url });
    await until('the server noticed', async () => (await listeners()).length === 0);
  });

  it('refuses a channel that is no plain name', async () => {
    await expectRefusal('INTERNAL', database.listen('a"; DROP TABLE x', () => undefined));
  });
});
