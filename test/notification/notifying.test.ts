import { randomUUID } from 'node:crypto';

import { expect } from 'chai';


import { setMuted } from '../../services/notification/preferences.ts';
import { changedAfter } from '../../services/notification/store.ts';
import { booked, confirmed, type NotificationFixture, paid, placed, startNotificationFixture } from './notification-fixture.ts';

const ORDERS_AT_ONCE = 30;

describe('what a user is told', () => {
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

  const kindsOf = async (user = userId): Promise<string[]> => (await fixture.notificationsOf(user)).map(({ kind }) => kind).reverse();

  it('is what happens to the order, in the words of its template', async () => {
    for (const event of [placed(orderId, userId), paid(orderId), booked(orderId), confirmed(orderId, userId)]) await fixture.deliver(event);
    expect(await kindsOf()).to.deep.equal(['ORDER_PLACED', 'PAYMENT_COMPLETED', 'SHIPMENT_SCHEDULED', 'ORDER_CONFIRMED']);
    const [newest] = await fixture.notificationsOf(userId);
    expect(newest).to.deep.include({ userId, orderId, subject: `Order ${orderId} is confirmed`, state: 'PENDING', reason: '', sentTime: null });
    expect(newest?.body).to.contain('of 25.00 EUR is confirmed').and.contain('Tracking number: SIM-1');
  });

  it('is told once of an event that comes twice, also at once', async () => {
    const event = placed(orderId, userId);
    await Promise.all([event, event, event].map((each) => fixture.deliver(each)));
    expect(await kindsOf()).to.deep.equal(['ORDER_PLACED']);
  });

  it('waits where nobody has said yet whose order it is, and comes out in its order', async () => {
    await fixture.deliver(paid(orderId));
    await fixture.deliver(booked(orderId));
    expect(await kindsOf()).to.deep.equal([]);
    await fixture.deliver(placed(orderId, userId));
    const notifications = await changedAfter(fixture.database, userId, 0n);
    expect(notifications.map(({ kind, sequence, state }) => `${sequence} ${kind} ${state}`)).to.deep.equal([
      '1 ORDER_PLACED PENDING',
      '2 PAYMENT_COMPLETED PENDING',
      '3 SHIPMENT_SCHEDULED PENDING',
    ]);
  });

  it('is never left waiting, whichever of two events of an order comes first', async () => {
    const orders = Array.from({ length: ORDERS_AT_ONCE }, () => randomUUID());
    await Promise.all(orders.flatMap((order) => [fixture.deliver(paid(order)), fixture.deliver(placed(order, userId)), fixture.deliver(booked(order))]));
    expect(await kindsOf()).to.have.length(3 * ORDERS_AT_ONCE);
  });

  it('is numbered without a gap or a double, however many orders a user has at once', async () => {
    const orders = Array.from({ length: ORDERS_AT_ONCE }, () => randomUUID());
    await Promise.all(orders.map((order) => fixture.deliver(placed(order, userId))));
    const sequences = (await fixture.notificationsOf(userId)).map(({ sequence }) => Number(sequence)).sort((a, b) => a - b);
    expect(sequences).to.deep.equal(orders.map((_, index) => index + 1));
  });

  it('is kept and not mailed where the user wants it so, from then on', async () => {
    await fixture.deliver(paid(orderId));
    await fixture.deliver(placed(orderId, userId));
    await setMuted(fixture.database, userId, ['PAYMENT', 'SHIPPING']);
    await fixture.deliver(booked(orderId));
    await fixture.deliver(confirmed(orderId, userId));
    const states = Object.fromEntries((await fixture.notificationsOf(userId)).map(({ kind, state, reason }) => [kind, `${state} ${reason}`.trim()]));
    expect(states).to.deep.equal({
      PAYMENT_COMPLETED: 'PENDING',
      ORDER_PLACED: 'PENDING',
      SHIPMENT_SCHEDULED: 'SUPPRESSED the user has turned these mails off',
      ORDER_CONFIRMED: 'PENDING',
    });
  });

  it('heeds that wish also for what waited to learn whose it is', async () => {
    await setMuted(fixture.database, userId, ['PAYMENT']);
    await fixture.deliver(paid(orderId));
    await fixture.deliver(placed(orderId, userId));
    expect((await fixture.notificationsOf(userId)).map(({ state }) => state)).to.have.members(['PENDING', 'SUPPRESSED']);
  });

  it('is kept and not mailed where there is no way to', async () => {
    await fixture.deliver(paid(orderId), { isMailed: false });
    await fixture.deliver(placed(orderId, userId), { isMailed: false });
    for (const { state, reason } of await fixture.notificationsOf(userId)) {
      expect(state).to.equal('SUPPRESSED');
      expect(reason).to.contain('no channel');
    }
  });
});
