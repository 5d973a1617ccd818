import { expect } from 'chai';

import { compareBooks } from '../../cli/books/compare-books.ts';
import { clockOf, compare, found, shopOf } from './comparing.ts';
import { madeUpBooks, type MadeUpShop } from './made-up-books.ts';

const MINUTE_MS = 60_000;

describe('comparing orders with what their buyers were told', () => {
  function untold(restedMs = 0): MadeUpShop {
    const shop = shopOf('confirmed');
    shop.orders = shop.orders.map((order) => ({ ...order, updateTime: new Date(-restedMs) }));
    shop.notices = [];
    return shop;
  }

  it('misses a notice for which nothing is on its way any more, however short ago the order ended', async () => {
    const report = await compare(untold());
    expect(found(report)).to.deep.equal([
      { kind: 'not told', about: 'order', id: 'order-0', says: 'is CONFIRMED, and its buyer was not told so', fails: true },
    ]);
    expect(report.agree).to.equal(false);
  });

  it('says nothing of a notice that is on its way, and after a minute that it waits, which is no difference', async () => {
    for (const [restedMs, says] of [
      [MINUTE_MS - 1, []],
      [MINUTE_MS, ['is CONFIRMED, and its buyer was not told so yet: events wait, see `mesh events`']],
    ] as const) {
      const report = await compare({ ...untold(restedMs), eventsWait: true });
      expect(found(report).map((difference) => difference.says)).to.deep.equal(says);
      expect(report.agree).to.equal(true);
    }
  });

  it('finds what else is wrong with an order whose notice is on its way', async () => {
    const shop = { ...untold(), eventsWait: true, bookings: [] };
    expect(found(await compare(shop)).map(({ kind }) => kind)).to.deep.equal(['not booked']);
  });

  it('waits for a moment at which nothing is on its way', async () => {
    const shop = { ...untold(2 * MINUTE_MS), eventsWait: true };
    const clock = clockOf(() => (shop.eventsWait = false));
    expect(found(await compareBooks(madeUpBooks(shop), { clock })).map(({ fails }) => fails)).to.deep.equal([true]);
  });

  it('asks what is on its way after the order was read for the last time: it may have moved meanwhile', async () => {
    const shop = untold();
    const clock = clockOf(() => {
      shop.orders = shop.orders.map((order) => ({ ...order, updateTime: new Date(1), version: '2' }));
      shop.eventsWait = true;
    });
    expect(found(await compareBooks(madeUpBooks(shop), { clock }))).to.deep.equal([]);
  });

  it('reads the notices again behind that moment: one that came meanwhile is there', async () => {
    const shop = untold();
    const { notices } = shopOf('confirmed');
    const books = madeUpBooks(shop);
    const mayFollow = async (): Promise<boolean> => {
      shop.notices = notices;
      return false;
    };
    expect(found(await compareBooks({ ...books, notices: { ...books.notices, mayFollow } }, { clock: clockOf() }))).to.deep.equal([]);
  });

  it('tells of an event that is a dead letter, which is no difference', async () => {
    const shop = untold(10 * MINUTE_MS);
    shop.notices = [{ orderId: 'order-0', notices: [], isDeadLetter: true }];
    const report = await compare(shop);
    expect(found(report).map(({ says, fails }) => [says, fails])).to.deep.equal([
      ['is CONFIRMED, and its buyer was not told so: the event is a dead letter, see `mesh events dead`', false],
    ]);
    expect(report.agree).to.equal(true);
  });
});
