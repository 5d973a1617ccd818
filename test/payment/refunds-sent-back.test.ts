import { expect } from 'chai';

import { expectRefusal } from '../database/expect-refusal.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { type PaymentsFixture, reasonOf, startPayments } from './payments-fixture.ts';

describe('a refund that the bank sends back', () => {
  let shop: PaymentsFixture;
  before(async () => void (shop = await startPayments()));
  after(() => shop?.stop());
  beforeEach(() => void (shop.company.refundsAre = 'failed'));

  it('leaves the payment COMPLETED, and says so each time, without asking again', async () => {
    const orderId = await shop.charged();
    for (let twice = 0; twice < 2; twice += 1) {
      const error = await expectRefusal('REFUND_FAILED', shop.refund(orderId));
      expect(error.message).to.include('by hand').and.include(String(error.metadata['stripe_refund_id']));
    }
    expect(shop.refundsAtCompany(orderId)).to.deep.equal([['failed', 1_000n]]);
    expect((await shop.paymentOf(orderId)).state).to.equal('COMPLETED');
    expect(await shop.eventsOf(orderId)).to.deep.equal(['PaymentCompleted 10.00']);
  });

  it('is a warning while who wants all of it still asks, and an error where nobody does', async () => {
    const { log, lines } = captureLog('warn');
    const [whole, part] = [await shop.charged(), await shop.charged()];
    await reasonOf(shop.refund(whole, shop.with({ log })));
    await reasonOf(shop.part(part, `${part}-a`, 300n, shop.with({ log })));
    expect(lines.map(({ level, orderId, msg }) => [level, orderId, msg])).to.deep.equal([
      ['warn', whole, 'the bank sent a refund back: who asks for it is told so'],
      ['error', part, 'the bank sent a refund back: give this money back another way'],
    ]);
  });

  it('is over once somebody has given the money back by hand', async () => {
    const orderId = await shop.charged();
    await reasonOf(shop.refund(orderId));
    shop.company.refundsAre = 'succeeded';
    shop.company.refundByHand(orderId, 400n);
    expect(await reasonOf(shop.refund(orderId)), 'a part by hand is not the whole').to.equal('REFUND_FAILED');
    shop.company.refundByHand(orderId, 600n);
    const payment = await shop.refund(orderId);
    expect([payment.state, payment.refunded.minor]).to.deep.equal(['REFUNDED', 1_000n]);
    expect((await shop.eventsOf(orderId)).slice(1)).to.deep.equal(['PaymentRefunded 4.00', 'PaymentRefunded 6.00 whole']);
  });

  it('as a part has failed for good, and its money can be asked for again', async () => {
    const orderId = await shop.charged();
    for (let twice = 0; twice < 2; twice += 1) expect(await reasonOf(shop.part(orderId, `${orderId}-a`, 300n))).to.equal('REFUND_FAILED');
    shop.company.refundsAre = 'succeeded';
    expect((await shop.part(orderId, `${orderId}-b`, 1_000n)).payment.state).to.equal('REFUNDED');
  });
});
