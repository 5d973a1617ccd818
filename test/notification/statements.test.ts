import { expect } from 'chai';

import { migrate, type Queryable } from '#database';
import { silentLog } from '#kit';

import { findFailingMails } from '../../services/notification/failing-mails.ts';
import { concludeAll, handOverAll, renew, takeDue } from '../../services/notification/mail-queue.ts';
import { adoptParked, writeNotices } from '../../services/notification/notice-store.ts';
import { learnOwners } from '../../services/notification/order-owners.ts';
import { service } from '../../services/notification/service.ts';
import { planOf } from '../database/plan-of.ts';
import { createTestDatabase, runSql, type TestDatabase } from '../database/postgres-fixture.ts';

const HELD = { notificationId: 'one', fence: 1n };
const ROWS = 20_000;
/** As after years, with some that wait. */
const FILL = `SET search_path TO shop;
  INSERT INTO order_owner (order_id, user_id) SELECT n::text, (n / 10)::text FROM generate_series(1, ${ROWS}) AS n;
  INSERT INTO recipient (user_id, last_sequence) SELECT n::text, 10 FROM generate_series(0, ${ROWS / 10}) AS n;
  INSERT INTO notification (notification_id, event_id, kind, category, order_id, user_id, sequence, subject, body, state)
    SELECT n::text, n::text, 'ORDER_PLACED', 'ORDER', n::text, CASE WHEN n % 1000 <> 1 THEN (n / 10)::text END, n, '', '',
      CASE n % 1000 WHEN 0 THEN 'PENDING' WHEN 1 THEN 'PARKED' ELSE 'SENT' END FROM generate_series(1, ${ROWS}) AS n;
  ANALYZE`;

describe('the statements of notifications', () => {
  let place: TestDatabase;
  before(async function () {
    this.timeout(20_000);
    place = await createTestDatabase();
    // planOf looks there.
    await migrate({ url: place.url, schema: 'shop', components: service.migrations, log: silentLog });
  });
  after(() => place?.drop());

  const statements: readonly [what: string, run: (db: Queryable) => Promise<unknown>, uses: RegExp][] = [
    ['learn whose orders are', (db) => learnOwners(db, new Map([['order', 'user']])), /Index Scan using order_owner_pkey/],
    ['write what is new', (db) => writeNotices(db, [], true), /Conflict Arbiter Indexes: recipient_pkey/],
    ['find what is parked', (db) => adoptParked(db, new Map([['order', 'user']]), true), /notification_parked.*\n(.*\n)? +Index Cond: \(order_id = /],
    ['take up what is due', (db) => takeDue(db, { limit: 16, leaseMs: 1, except: [] }), /notification_due.*\n +Index Cond: \(due_time <= now\(\)\)/],
    ['find what fails', (db) => findFailingMails(db, 1), /notification_due/],
    ['hand over', (db) => handOverAll(db, [{ held: HELD, to: undefined }], 1), /Index Scan using notification_pkey/],
    ['conclude', (db) => concludeAll(db, [{ held: HELD, state: 'SENT', reason: '' }]), /Conflict Arbiter Indexes: recipient_pkey/],
    ['renew', (db) => renew(db, [HELD], 1), /Index Scan using notification_pkey/],
  ];
  for (const [when, fill] of [['empty', 'SELECT'], ['full', FILL]] as const) {
    describe(`planned when the tables are ${when}`, () => {
      before(async function () {
        this.timeout(20_000);
        await runSql(place.url, fill);
      });
      for (const [what, run, uses] of statements) {
        it(`${what} by indexes alone`, async () => {
          const plan = await plansOf(run);
          expect(plan).to.match(uses).and.not.match(/Seq Scan on (notification|recipient|order_owner)/);
        });
      }
    });
  }

  /** Of each statement by itself. */
  async function plansOf(run: (db: Queryable) => Promise<unknown>): Promise<string> {
    const plans: string[] = [];
    await run({
      async query(statement, values) {
        plans.push(await planOf(place.url, (db) => db.query(statement, values)));
        return [];
      },
    });
    return plans.join('\n');
  }
});
