import { expect } from 'chai';

import { refusal } from '#kit';

import type { CardGateway } from '../../services/payment/card-gateway.ts';
import type { Payments } from '../../services/payment/payments.ts';
import { ahead, HOUR_MS, type PaymentsFixture, reasonOf, startPayments } from './payments-fixture.ts';

describe('a refund whose answer never came', () => {
  let shop: PaymentsFixture;
  before(async () => void (shop = await startPayments()));
  after(() => shop?.stop());
  beforeEach(() => {
    shop.company.away = false;
    shop.company.refundsAre = 'succeeded';
  });

  it('asks again under the same key when an answer was lost, and under none that may be forgotten', async () => {
    const orderId = await shop.charged();
    shop.company.loseAnswers(1);
    expect(await reasonOf(shop.part(orderId, `${orderId}-a`, 300n))).to.equal('PAYMENT_PROVIDER_UNAVAILABLE');
    expect((await shop.part(orderId, `${orderId}-a`, 300n)).refund.state).to.equal('SUCCEEDED');
    shop.company.loseAnswers(1);
    expect(await reasonOf(shop.refund(orderId))).to.equal('PAYMENT_PROVIDER_UNAVAILABLE');
    shop.company.forgetKeys();
    const payment = await shop.refund(orderId, shop.with({ clock: ahead(24 * HOUR_MS) }));
    expect(payment.state).to.equal('REFUNDED');
    expect(shop.refundsAtCompany(orderId)).to.deep.equal([['succeeded', 700n], ['succeeded', 300n]]);
  });

  it('makes after a day the refund that had never arrived', async () => {
    const orderId = await shop.charged();
    shop.company.away = true;
    await reasonOf(shop.refund(orderId));
    shop.company.away = false;
    expect((await shop.refund(orderId, shop.with({ clock: ahead(25 * HOUR_MS) }))).state).to.equal('REFUNDED');
    expect(shop.refundsAtCompany(orderId)).to.deep.equal([['succeeded', 1_000n]]);
  });

  it('asks under no new key while what was sent in the last second of the old one may be on its way', async () => {
    const orderId = await shop.charged();
    const refundId = `${orderId}-a`;
    shop.company.away = true;
    await reasonOf(shop.part(orderId, refundId, 300n));
    shop.company.away = false;
    const onTheWay: (() => Promise<unknown>)[] = [];
    const slow: CardGateway = {
      ...shop.company,
      async refund(...asked) {
        onTheWay.push(() => shop.company.refund(...asked));
        throw refusal('PAYMENT_PROVIDER_UNAVAILABLE', 'no answer');
      },
    };
    const at = (hours: number, seconds: number): Payments => shop.with({ clock: ahead(hours * HOUR_MS + seconds * 1_000), gateway: slow });
    for (const given of [at(23, -10), at(23, 1), at(24.25, -10)]) {
      expect(await reasonOf(shop.part(orderId, refundId, 300n, given))).to.equal('PAYMENT_PROVIDER_UNAVAILABLE');
    }
    expect(onTheWay).to.have.length(1);
    await onTheWay[0]?.();
    expect((await shop.part(orderId, refundId, 300n, at(23, 2))).refund.state).to.equal('SUCCEEDED');
    expect(shop.refundsAtCompany(orderId)).to.deep.equal([['succeeded', 300n]]);
  });

  it('makes it once also when several come upon it after that day', async () => {
    const orderId = await shop.charged();
    shop.company.away = true;
    await reasonOf(shop.part(orderId, `${orderId}-a`, 300n));
    shop.company.away = false;
    shop.company.forgetKeys();
    const later = shop.with({ clock: ahead(25 * HOUR_MS) });
    await Promise.all(Array.from({ length: 6 }, () => shop.part(orderId, `${orderId}-a`, 300n, later)));
    expect(shop.refundsAtCompany(orderId)).to.deep.equal([['succeeded', 300n]]);
  });
});
