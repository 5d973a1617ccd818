import { expect } from 'chai';

import type { Books } from '../../cli/books/books.ts';
import { compareBooks } from '../../cli/books/compare-books.ts';
import { differenceOfRow } from '../../cli/books/totals.ts';
import { clockOf, compare, found, shopOf } from './comparing.ts';
import { madeUpBooks } from './made-up-books.ts';

describe('comparing the books of a shop that goes on meanwhile', () => {
  const stale = (books: Books, orders: Books['orders']): Books => ({ ...books, orders: { ...books.orders, page: orders.page } });

  it('judges an order anew that has moved since it was read', async () => {
    const orders = madeUpBooks(shopOf('confirmed')).orders;
    for (const now of ['cancelled', 'cancelling'] as const) {
      const report = await compareBooks(stale(madeUpBooks(shopOf(now)), orders), { clock: clockOf() });
      expect(found(report), now).to.deep.equal([]);
      expect(report.orders, now).to.include(now === 'cancelled' ? { cancelled: 1, confirmed: 0 } : { moving: 1, confirmed: 0 });
      expect(report.agree, now).to.equal(true);
    }
  });

  it('does not call wrong what reads another way each time, and counts it as on its way', async () => {
    const shop = shopOf('cancelled');
    let readings = 0;
    const clock = clockOf(() => {
      readings += 1;
      shop.orders = shop.orders.map((order) => ({ ...order, state: 'CONFIRMED', version: `moved ${readings} times` }));
    });
    shop.orders = shop.orders.map((order) => ({ ...order, state: 'CONFIRMED' }));
    const report = await compareBooks(madeUpBooks(shop), { clock });
    expect(report.orders).to.deep.equal({ confirmed: 0, failed: 0, cancelled: 0, moving: 1 });
    expect(found(report)).to.deep.equal([]);
    expect(report.totals.map(differenceOfRow)).to.deep.equal([0n]);
  });

  it('reads what is wrong a second time before it says so', async () => {
    const shop = shopOf('confirmed');
    const { money } = shop;
    shop.money = [];
    const report = await compareBooks(madeUpBooks(shop), { clock: clockOf(() => (shop.money = money)) });
    expect(report.agree).to.equal(true);
  });

  it('expects of an order on its way only that it is charged and booked once at most, and not given back too much', async () => {
    const shop = shopOf('placing', 'cancelling');
    shop.payments = [];
    shop.reservations = [];
    shop.shipments = [];
    shop.stock = [];
    expect((await compare(shop)).agree).to.equal(true);
    shop.bookings = ['a', 'b'].map((bookingKey) => ({ bookingKey, orderId: 'order-0', state: 'BOOKED', trackingNumber: bookingKey }));
    shop.money = [{ kind: 'refund', objectId: 're', orderId: 'order-1', amount: { minor: 1n, currency: 'EUR' } }];
    expect(found(await compare(shop)).map(({ kind }) => kind)).to.have.members(['refunded more than captured', 'booked more than once']);
  });
});
