import { expect } from 'chai';

import { compare, found, shopOf } from './comparing.ts';

describe('comparing the books about an order that is unknown', () => {
  it('fails on money that names no order at all', async () => {
    const shop = shopOf('confirmed');
    const amount = { minor: 100n, currency: 'EUR' };
    shop.anonymous = [1n, 2n, 3n].map((entryId) => ({ entryId, kind: 'capture', objectId: `ch_${entryId}`, amount }));
    const report = await compare(shop, 2);
    expect(found(report).map(({ about, id, fails }) => [about, id, fails])).to.deep.equal(['ch_1', 'ch_2', 'ch_3'].map((id) => ['charge', id, true]));
    expect(report.totals.find(({ currency }) => currency === 'EUR')?.withoutOrder).to.equal(300n);
    expect(report.agree).to.equal(false);
  });

  it('tells of rows that took, booked and sold nothing, once, and does not fail', async () => {
    const shop = shopOf('confirmed');
    const [orderId, amount] = ['made-up', { minor: 0n, currency: '' }];
    shop.payments.push({ orderId, state: 'FAILED', amount, refunded: amount, refundHeld: amount });
    shop.reservations.push({ orderId, state: 'RELEASED', lines: [] });
    shop.shipments.push({ shipmentId: 'none', orderId, state: 'CANCELLED', trackingNumber: null });
    const report = await compare(shop);
    expect(report.agree).to.equal(true);
    expect(found(report)).to.deep.equal([
      {
        kind: 'unknown order',
        about: 'order',
        id: 'made-up',
        says: 'does not exist, and has a payment (FAILED), a reservation (RELEASED), a shipment (CANCELLED)',
        fails: false,
      },
    ]);
  });

  it('compares its payment with the ledger, and its shipment with the carrier', async () => {
    const shop = shopOf('confirmed');
    const none = { minor: 0n, currency: 'EUR' };
    shop.payments.push({ orderId: 'made-up', state: 'COMPLETED', amount: { minor: 100n, currency: 'EUR' }, refunded: none, refundHeld: none });
    shop.shipments.push({ shipmentId: 'none', orderId: 'made-up', state: 'SCHEDULED', trackingNumber: 'SIM-1' });
    const kinds = found(await compare(shop)).map(({ kind }) => kind);
    expect(kinds).to.have.members(['payment differs', 'not booked', 'unknown order']);
  });
});
