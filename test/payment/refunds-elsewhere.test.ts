import { expect } from 'chai';

import type { CardGateway } from '../../services/payment/card-gateway.ts';
import { readFromProvider } from '../../services/payment/refunding.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { eur, type PaymentsFixture, reasonOf, SIGNAL, startPayments } from './payments-fixture.ts';

describe('giving money back, beside what the card company does by itself', () => {
  let shop: PaymentsFixture;
  before(async () => void (shop = await startPayments()));
  after(() => shop?.stop());
  beforeEach(() => {
    shop.company.away = false;
    shop.company.refundsAre = 'succeeded';
  });

  describe('beside what somebody gives back by hand', () => {
    it('gives back the rest, and no more', async () => {
      const orderId = await shop.charged();
      shop.company.refundByHand(orderId, 300n);
      const payment = await shop.refund(orderId);
      expect([payment.state, payment.refunded.minor]).to.deep.equal(['REFUNDED', 1_000n]);
      expect(shop.refundsAtCompany(orderId)).to.deep.equal([['succeeded', 700n], ['succeeded', 300n]]);
    });

    it('is done when all was given back by hand', async () => {
      const orderId = await shop.charged();
      shop.company.refundByHand(orderId, 1_000n);
      expect((await shop.refund(orderId)).state).to.equal('REFUNDED');
      expect(shop.refundsAtCompany(orderId)).to.deep.equal([['succeeded', 1_000n]]);
      expect(await shop.eventsOf(orderId)).to.deep.equal(['PaymentCompleted 10.00', 'PaymentRefunded 10.00 whole']);
    });

    it('refuses a part for which too little is left', async () => {
      const orderId = await shop.charged();
      shop.company.refundByHand(orderId, 800n);
      const error = await expectRefusal('REFUND_TOO_LARGE', shop.part(orderId, `${orderId}-a`, 300n));
      expect(error.metadata).to.include({ left_minor: '200' });
      expect((await shop.part(orderId, `${orderId}-b`, 200n)).payment.state).to.equal('REFUNDED');
    });
  });

  describe('that the card company has otherwise than our tables', () => {
    const read = async (orderId: string, given = shop.payments): Promise<void> => readFromProvider(given, await shop.paymentOf(orderId), SIGNAL);

    it('counts one that was given up and made nevertheless, as one of its own', async () => {
      const orderId = await shop.charged();
      const refundId = `${orderId}-a`;
      const late: CardGateway = {
        ...shop.company,
        async refund(...asked) {
          const made = await shop.company.refund(...asked);
          await shop.run(`UPDATE refund SET state = 'FAILED', failure = 'refunded_elsewhere' WHERE refund_id = $1`, refundId);
          return made;
        },
      };
      expect(await reasonOf(shop.part(orderId, refundId, 300n, shop.with({ gateway: late })))).to.equal('REFUND_TOO_LARGE');
      const { stripeRefundId } = shop.company.charges.at(-1)?.refunds[0] ?? expect.fail('a refund');
      for (let reads = 0; reads < 3; reads += 1) {
        expect(await shop.refundsOf(orderId)).to.deep.equal([[refundId, 'FAILED', 300n], [stripeRefundId, 'SUCCEEDED', 300n]]);
        await read(orderId);
      }
      expect((await shop.paymentOf(orderId)).refunded.minor).to.equal(300n);
    });

    it('counts both of two that bear the same name', async () => {
      const orderId = await shop.charged();
      const refundId = `${orderId}-a`;
      shop.company.loseAnswers(1);
      await reasonOf(shop.part(orderId, refundId, 300n));
      const { paymentIntentId } = await shop.paymentOf(orderId);
      await shop.company.refund({ idempotencyKey: `again-${orderId}`, paymentIntentId: paymentIntentId ?? '', amount: eur(300n), orderId, refundId }, SIGNAL);
      for (let twice = 0; twice < 2; twice += 1) {
        await read(orderId);
        expect((await shop.paymentOf(orderId)).refunded.minor).to.equal(600n);
      }
    });

    it('says loudly when there is one for which nothing is left', async () => {
      const orderId = await shop.charged();
      const { log, lines } = captureLog('error');
      shop.company.charges.at(-1)?.refunds.push({ stripeRefundId: 're_big', refundId: undefined, amount: eur(5_000n), state: 'succeeded', failure: undefined });
      await read(orderId, shop.with({ log }));
      expect(lines[0]).to.include({ orderId, stripeRefundId: 're_big' });
      expect((await shop.paymentOf(orderId)).refunded.minor).to.equal(0n);
    });
  });
});
