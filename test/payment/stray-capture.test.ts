import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { openSimulatorDatabase, SIMULATOR_KEY } from '#stripe-simulator';

import { createCardLedger } from '../../cli/books/card-ledger.ts';
import { straysInBooks } from '../../services/payment/books.ts';
import { createReconciler, type Reconciler } from '../../services/payment/reconciler.ts';
import { until } from '../database/until.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { chargeOf, openGateway, patience } from './gateway/gateway-fixture.ts';
import { ahead, eur, HOUR_MS, type PaymentsFixture, SIGNAL, startPayments } from './payments-fixture.ts';
import { startPaymentService } from './service-fixture.ts';

describe('a capture besides the payment of its order', () => {
  let shop: PaymentsFixture;
  let reconciler: Reconciler | undefined;
  before(async () => void (shop = await startPayments()));
  after(() => shop?.stop());
  afterEach(async () => {
    await reconciler?.stop();
    await shop.clear();
  });

  /** An order that was charged, and a capture of it that came about otherwise. */
  async function strayOf(orderId: string, paymentMethod = 'pm_card_visa'): Promise<string> {
    await shop.charge(orderId, paymentMethod);
    const capture = { idempotencyKey: `other-${orderId}`, orderId, amount: eur(1_000n), paymentMethod: 'pm_card_visa' };
    await shop.company.charge(capture, SIGNAL);
    return shop.company.charges.at(-1)?.paymentIntentId ?? expect.fail('a charge');
  }

  /** Stripe tells of it, and the reconciler is done with that. */
  async function tell(orderId: string, paymentIntentId: string, changes: Parameters<PaymentsFixture['with']>[0] = {}): Promise<void> {
    await shop.notice({ type: 'payment_intent.succeeded', paymentIntentId, orderId });
    reconciler = createReconciler(shop.with(changes), 10);
    reconciler.start();
    await until('it had its effect', async () => (await shop.openNotices()) === 0);
    await reconciler.stop();
  }

  const refundsAtCompany = (): unknown[] => shop.company.charges.map(({ refunds }) => refunds.map(({ state, amount }) => [state, amount.minor]));

  for (const [paymentMethod, state] of [['pm_card_visa', 'COMPLETED'], ['pm_card_chargeDeclined', 'FAILED']] as const) {
    it(`goes back once, however often it is told of, and leaves the payment ${state}`, async () => {
      const stray = await strayOf('told', paymentMethod);
      const { log, lines } = captureLog('warn');
      for (let twice = 0; twice < 2; twice += 1) await tell('told', stray, { log });
      expect(refundsAtCompany()).to.deep.equal([[], [['succeeded', 1_000n]]]);
      expect((await shop.paymentOf('told')).state).to.equal(state);
      expect(shop.company.asked.filter((key) => key.startsWith('refund'))).to.deep.equal([`refund:stray:${stray}`]);
      expect(lines, 'said once').to.have.length(1);
      expect(lines[0]).to.include({ orderId: 'told', paymentIntentId: stray });
      expect(await straysInBooks(shop.database, ['told'])).to.deep.equal([{ orderId: 'told', paymentIntentId: stray }]);
    });
  }

  it('goes back once, also when the answer is lost', async () => {
    const stray = await strayOf('lost');
    shop.company.loseAnswers(1);
    await tell('lost', stray, { clock: ahead(HOUR_MS), checkAfterMs: 0 });
    expect(refundsAtCompany()).to.deep.equal([[], [['succeeded', 1_000n]]]);
    expect(await straysInBooks(shop.database, ['lost'])).to.have.length(1);
  });

  it('goes back as far as nobody gave it back by hand', async () => {
    const stray = await strayOf('by-hand', 'pm_card_chargeDeclined');
    const asked = { idempotencyKey: 'by-hand', paymentIntentId: stray, amount: eur(300n), orderId: 'by-hand', refundId: 'by-hand' };
    await shop.company.refund(asked, SIGNAL);
    await tell('by-hand', stray);
    expect(refundsAtCompany()).to.deep.equal([[], [['succeeded', 700n], ['succeeded', 300n]]]);
  });

  for (const how of ['refuses', 'sends back'] as const) {
    it(`is left to a hand, loudly, when the bank or Stripe ${how} its refund`, async () => {
      const stray = await strayOf('refused');
      const { log, lines } = captureLog('error');
      if (how === 'refuses') shop.company.refuseRefunds(1);
      else shop.company.refundsAre = 'failed';
      await tell('refused', stray, { log });
      expect(lines[0]).to.include({ orderId: 'refused', paymentIntentId: stray });
      expect(await straysInBooks(shop.database, ['refused'])).to.deep.equal([]);
    });
  }

  it('is left to a hand, loudly, when the bank sends its refund back later, and is not asked for again', async () => {
    const stray = await strayOf('sent-back');
    await tell('sent-back', stray);
    const [refund] = shop.company.charges.at(-1)?.refunds ?? [];
    shop.company.settle(refund?.stripeRefundId ?? '', 'failed');
    const { log, lines } = captureLog('warn');
    await tell('sent-back', stray, { log });
    expect(lines.map(({ level, paymentIntentId, failure }) => [level, paymentIntentId, failure])).to.deep.equal([['error', stray, 'expired_or_canceled_card']]);
    expect(shop.company.asked.filter((key) => key.startsWith('refund'))).to.have.length(1);
  });

  it('goes back at the card-payment simulator, and the books leave it out unless the bank sends it back', async function () {
    this.timeout(30_000);
    const { log, lines } = captureLog('error');
    const service = await startPaymentService({ log });
    const ledger = openSimulatorDatabase({ databaseUrl: service.simulator.database.url, log, tracer: trace.getTracer('test') });
    const other = openGateway(service.simulator.url(), { apiKey: SIMULATOR_KEY });
    const books = createCardLedger(ledger, (orderIds) => straysInBooks(service.database, orderIds));
    const inBooks = async (orderId: string): Promise<unknown> => (await books.entriesOf([orderId])).map(({ kind }) => kind);
    const amount = { currencyCode: 'EUR', units: 12n, nanos: 500_000_000 };
    for (const [orderId, paymentMethod] of [['twice', 'pm_card_visa'], ['sent-back', 'pm_card_refundFailLater']] as const) {
      const { payment } = await service.client.charge({ orderId, amount, paymentMethod: 'pm_card_visa' });
      const { paymentIntentId: stray } = await other.charge(chargeOf(orderId, { idempotencyKey: `other-${orderId}`, paymentMethod }), patience());
      await until('it is noted', async () => (await straysInBooks(service.database, [orderId])).length === 1);
      const entries = (await service.simulator.ledger(orderId)).slice(0, 3);
      expect(entries.map(({ kind, paymentIntentId }) => [kind, paymentIntentId])).to.deep.equal([['capture', payment?.paymentIntentId], ['capture', stray], ['refund', stray]]);
      expect((await service.client.getPayment({ orderId })).payment?.refundedAmount).to.deep.include({ units: 0n, nanos: 0 });
    }
    await until('the bank has sent one back', () => lines.length > 0);
    expect(lines[0]).to.include({ orderId: 'sent-back' });
    expect([await inBooks('twice'), await inBooks('sent-back')]).to.deep.equal([['capture'], ['capture', 'capture', 'refund', 'refund failure']]);
    await Promise.all([other.stop(), ledger.stop()]);
    await service.stop();
  });
});
