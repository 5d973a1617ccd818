import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import type { Event } from '#events';
import { refusal } from '#kit';

import { setMuted } from '../../services/notification/preferences.ts';
import { changedAfter } from '../../services/notification/store.ts';
import { until } from '../database/until.ts';
import { booked, confirmed, type NotificationFixture, paid, placed, startNotificationFixture } from './notification-fixture.ts';
import { recordStatements } from './record-statements.ts';

const WAITING = { name: 'test.waiting', text: `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'` };
const WRITING = { name: 'test.writing', text: `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'` };
const OWNERS = { name: 'test.owners', text: `SELECT order_id AS "orderId", user_id AS "userId", ctid::text || ' ' || xmax AS version FROM order_owner ORDER BY order_id` };

describe('what users are told of many events at once', () => {
  let fixture: NotificationFixture;
  let userId: string;
  let orderId: string;
  before(async function () {
    this.timeout(20_000);
    fixture = await startNotificationFixture();
  });
  beforeEach(() => {
    userId = randomUUID();
    orderId = randomUUID();
  });
  afterEach(() => fixture.reset());
  after(() => fixture?.remove());

  const toldTo = async (user = userId): Promise<string[]> => (await changedAfter(fixture.database, user, 0n)).map(({ sequence, kind, state }) => `${sequence} ${kind} ${state}`);
  /** Transactions that wait for another one. */
  const waiting = async (): Promise<number> => (await fixture.database.query(WAITING, [])).length;

  /** Delivers events in a transaction that stays open until it is told to commit. */
  async function begin(events: readonly Event[]): Promise<{ commit(): Promise<void> }> {
    const written = Promise.withResolvers<void>();
    const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
    const done = fixture.deliverAll(events, {
      beforeCommit() {
        written.resolve();
        return mayCommit;
      },
    });
    await Promise.race([written.promise, done]);
    return {
      commit() {
        commit();
        return done;
      },
    };
  }

  it('is numbered for each user in the order of the events, and listed so', async () => {
    const [other, otherOrder, second] = [randomUUID(), randomUUID(), randomUUID()];
    await fixture.deliverAll([placed(orderId, userId), placed(otherOrder, other), paid(orderId), booked(orderId), paid(otherOrder), placed(second, userId), confirmed(orderId, userId)]);
    const kinds = ['ORDER_PLACED', 'PAYMENT_COMPLETED', 'SHIPMENT_SCHEDULED', 'ORDER_PLACED', 'ORDER_CONFIRMED'];
    expect(await toldTo()).to.deep.equal(kinds.map((kind, index) => `${index + 1} ${kind} PENDING`));
    expect((await fixture.notificationsOf(userId)).map(({ kind }) => kind).reverse()).to.deep.equal(kinds);
    expect(await toldTo(other)).to.deep.equal(['1 ORDER_PLACED PENDING', '2 PAYMENT_COMPLETED PENDING']);
  });

  it('takes two statements, whatever their number', async () => {
    const { database, statements } = recordStatements(fixture.database);
    const orders = Array.from({ length: 25 }, () => randomUUID());
    await fixture.deliverAll(orders.flatMap((order) => [placed(order, userId), paid(order), booked(order), confirmed(order, userId)]), { database });
    expect(statements).to.deep.equal(['notification.learn_owners', 'notification.write']);
    expect(await toldTo()).to.have.length(100);
  });

  it('takes two more where something waited to learn whose it is', async () => {
    const { database, statements } = recordStatements(fixture.database);
    const orders = Array.from({ length: 10 }, () => randomUUID());
    await fixture.deliverAll(orders.map((order) => paid(order)));
    await fixture.deliverAll(orders.map((order) => placed(order, userId)), { database });
    expect(statements).to.deep.equal(['notification.learn_owners', 'notification.settle_owners', 'notification.write', 'notification.adopt']);
    const kinds = [...orders.map(() => 'ORDER_PLACED'), ...orders.map(() => 'PAYMENT_COMPLETED')];
    expect(await toldTo()).to.deep.equal(kinds.map((kind, index) => `${index + 1} ${kind} PENDING`));
  });

  it('leaves nothing waiting whose order one of them names, whichever comes first', async () => {
    const { database, statements } = recordStatements(fixture.database);
    await fixture.deliverAll([paid(orderId), booked(orderId), placed(orderId, userId)], { database });
    expect(await toldTo()).to.deep.equal(['1 PAYMENT_COMPLETED PENDING', '2 SHIPMENT_SCHEDULED PENDING', '3 ORDER_PLACED PENDING']);
    expect(statements).to.have.length(2);
  });

  it('is kept of each user as that user wants it', async () => {
    const [other, otherOrder, third] = [randomUUID(), randomUUID(), randomUUID()];
    await setMuted(fixture.database, userId, ['PAYMENT']);
    await fixture.deliverAll([paid(orderId), paid(third)]);
    await fixture.deliverAll([placed(orderId, userId), placed(third, other), placed(otherOrder, other), paid(otherOrder)]);
    expect(await toldTo()).to.deep.equal(['1 ORDER_PLACED PENDING', '2 PAYMENT_COMPLETED SUPPRESSED']);
    expect(await toldTo(other)).to.deep.equal(['1 ORDER_PLACED PENDING', '2 ORDER_PLACED PENDING', '3 PAYMENT_COMPLETED PENDING', '4 PAYMENT_COMPLETED PENDING']);
  });

  it('is told once of an event that is among them twice', async () => {
    const event = placed(orderId, userId);
    await fixture.deliverAll([event, event]);
    expect((await fixture.notificationsOf(userId)).map(({ kind }) => kind)).to.deep.equal(['ORDER_PLACED']);
  });

  it('belongs to whoever was named first', async () => {
    const other = randomUUID();
    await fixture.deliverAll([placed(orderId, userId), confirmed(orderId, other)]);
    await fixture.deliverAll([confirmed(orderId, other)]);
    expect(await toldTo()).to.have.length(3);
    expect(await toldTo(other)).to.deep.equal([]);
  });

  it('writes nothing to an order whose owner is known', async () => {
    await fixture.deliverAll([placed(orderId, userId)]);
    const before = await fixture.database.query(OWNERS, []);
    await fixture.deliverAll([paid(orderId), booked(orderId), confirmed(orderId, userId)]);
    expect(await fixture.database.query(OWNERS, [])).to.deep.equal(before);
  });

  describe('where it is parked and its owner is said at the same time', () => {
    const races: readonly [what: string, before: (order: string) => Event[], first: (order: string) => Event, then: (order: string) => Event][] = [
      ['it is parked first', () => [], (order) => paid(order), (order) => placed(order, userId)],
      ['the owner is said first', () => [], (order) => placed(order, userId), (order) => paid(order)],
      ['it is parked first, after something else was', (order) => [booked(order)], (order) => paid(order), (order) => placed(order, userId)],
      ['the owner is said first, after something else was parked', (order) => [booked(order)], (order) => placed(order, userId), (order) => paid(order)],
    ];
    for (const [what, before, first, then] of races) {
      it(`the later one waits for the earlier one, and nothing is left parked: ${what}`, async () => {
        const earlier = before(orderId);
        await fixture.deliverAll(earlier);
        const open = await begin([first(orderId)]);
        const later = fixture.deliverAll([then(orderId)]);
        await until('the later one waits', async () => (await waiting()) === 1);
        await open.commit();
        await later;
        const told = await toldTo();
        expect(told.map((line) => line.split(' ')[1])).to.have.members(['ORDER_PLACED', 'PAYMENT_COMPLETED', ...earlier.map(() => 'SHIPMENT_SCHEDULED')]);
        expect(told.every((line, index) => line.startsWith(`${index + 1} `) && line.endsWith(' PENDING')), told.join()).to.equal(true);
      });
    }
  });

  describe('is never waited for in a circle, though two instances get it the other way round:', () => {
    const [first, last] = ['a', 'b'];
    /** What there was before, what is not committed yet, and what each instance writes of the first and the last of two. */
    const circles: Readonly<Record<string, readonly [before: () => Event[], held: () => Event, one: (which: string) => Event, other: (which: string) => Event]>> = {
      users: [() => [first, last].map((user) => placed(randomUUID(), user)), () => placed(randomUUID(), first), (user) => placed(randomUUID(), user), (user) => placed(randomUUID(), user)],
      'orders that wait for their owners': [() => [paid(first), paid(last)], () => booked(first), (order) => placed(order, userId), (order) => booked(order)],
    };
    for (const [what, [before, held, one, other]] of Object.entries(circles)) {
      it(what, async () => {
        const [here, there] = [recordStatements(fixture.database), recordStatements(fixture.open())];
        await fixture.deliverAll(before());
        const open = await begin([held()]);
        const groups = [fixture.deliverAll([one(first), one(last)], here)];
        await until('one waits for the first', async () => (await waiting()) === 1);
        groups.push(fixture.deliverAll([other(last), other(first)], there));
        // Had it taken the last already, the other one could not go on.
        await until('the other waits for the first as well', async () => (await waiting()) === 2);
        await open.commit();
        await Promise.all(groups);
        // Postgres breaks off what waits in a circle, and then it is begun again.
        expect([...here.statements, ...there.statements].filter((name) => name === 'notification.learn_owners')).to.have.length(2);
      });
    }

    it('orders that nobody has spoken of before', async () => {
      const [here, there] = [recordStatements(fixture.database), recordStatements(fixture.open())];
      const { promise: mayFail, reject: fail } = Promise.withResolvers<void>();
      const open = fixture.deliverAll([paid(first)], { beforeCommit: () => mayFail });
      const failed = open.catch(() => 'failed');
      await until('the first is written', async () => (await fixture.database.query(WRITING, [])).length === 1);
      const groups = [fixture.deliverAll([paid(first), paid(last)], here)];
      await until('one waits for the first', async () => (await waiting()) === 1);
      groups.push(fixture.deliverAll([paid(last), paid(first)], there));
      await until('the other waits for the first as well', async () => (await waiting()) === 2);
      // It comes to nothing, so the first is for one of these to write, and the other waits for that.
      fail(refusal('INTERNAL', 'not kept'));
      expect(await failed).to.equal('failed');
      await Promise.all(groups);
      expect([...here.statements, ...there.statements].filter((name) => name === 'notification.learn_owners')).to.have.length(2);
    });
  });
});
