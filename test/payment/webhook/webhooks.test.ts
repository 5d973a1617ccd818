import fc from 'fast-check';
import { expect } from 'chai';

import type { CardGateway } from '../../../services/payment/card-gateway.ts';
import { createReconciler, type Reconciler } from '../../../services/payment/reconciler.ts';
import { until } from '../../database/until.ts';
import { captureLog } from '../../tracing/captured-log.ts';
import { DAY_MS, ahead, HOUR_MS, type PaymentsFixture, reasonOf, startPayments } from '../payments-fixture.ts';

describe("Stripe's events", () => {
  let shop: PaymentsFixture;
  let reconciler: Reconciler | undefined;
  before(async () => void (shop = await startPayments()));
  after(() => shop?.stop());
  afterEach(async () => {
    await reconciler?.stop();
    await shop.clear();
  });

  /** An hour between two looks: whatever happens at once, an event has brought about. */
  function start(changes: Parameters<PaymentsFixture['with']>[0] = {}): void {
    reconciler = createReconciler(shop.with(changes), HOUR_MS);
    reconciler.start();
  }

  async function tell(orderId: string, eventId?: string): Promise<boolean> {
    const charge = shop.company.charges.find((candidate) => candidate.orderId === orderId);
    const isNew = await shop.notice({ paymentIntentId: charge?.paymentIntentId ?? 'pi_nobody', ...(eventId !== undefined && { eventId }) });
    reconciler?.wake();
    return isNew;
  }

  const allDone = () => until('every event had its effect', async () => (await shop.openNotices()) === 0);

  it('settle a charge at once whose answer was lost', async () => {
    shop.company.loseAnswers(1);
    await reasonOf(shop.charge('lost'));
    start();
    await tell('lost');
    await allDone();
    expect((await shop.paymentOf('lost')).state).to.equal('COMPLETED');
    expect(await shop.eventsOf('lost')).to.deep.equal(['PaymentCompleted 10.00']);
  });

  it('settle a charge that is still being asked for, and the asker gets the same', async () => {
    start();
    const answered = Promise.withResolvers<void>();
    const gateway = {
      ...shop.company,
      charge: async (...asked: Parameters<typeof shop.company.charge>) => {
        const outcome = await shop.company.charge(...asked);
        await answered.promise;
        return outcome;
      },
    };
    const charging = shop.charge('early', 'pm_card_visa', shop.with({ gateway }));
    await until('it has been charged', () => shop.company.charges.length === 1);
    await tell('early');
    await allDone();
    expect((await shop.paymentOf('early')).state).to.equal('COMPLETED');
    answered.resolve();
    expect((await charging).state).to.equal('COMPLETED');
    expect(await shop.eventsOf('early')).to.deep.equal(['PaymentCompleted 10.00']);
  });

  it('are done with, and Stripe is not asked, when they tell of an end that the payment has had', async () => {
    let asked = 0;
    const gateway: CardGateway = {
      ...shop.company,
      lookUp(...which) {
        asked += 1;
        return shop.company.lookUp(...which);
      },
    };
    for (const [orderId, method, type] of [['paid', 'pm_card_visa', 'succeeded'], ['declined', 'pm_card_chargeDeclined', 'payment_failed']] as const) {
      const { paymentIntentId } = await shop.charge(orderId, method);
      const notice = { type: `payment_intent.${type}`, paymentIntentId: paymentIntentId ?? '', orderId };
      await shop.notice({ ...notice, eventId: `evt_${orderId}` });
    }
    start({ gateway });
    await allDone();
    expect(asked).to.equal(0);
    const { paymentIntentId } = await shop.paymentOf('declined');
    const news = { eventId: 'evt_news', type: 'payment_intent.succeeded', paymentIntentId: paymentIntentId ?? '', orderId: 'declined' };
    await shop.notice(news);
    reconciler?.wake();
    await allDone();
    expect(asked, 'of one that was declined and is captured now').to.equal(1);
  });

  it('are noted once under their id', async () => {
    await shop.charge('noted');
    expect([await tell('noted', 'evt_same'), await tell('noted', 'evt_same')]).to.deep.equal([true, false]);
  });

  it('tell of money that somebody gave back by hand, in part or all', async () => {
    await shop.charge('by-hand');
    start();
    shop.company.refundByHand('by-hand', 300n);
    await tell('by-hand');
    await allDone();
    expect([(await shop.paymentOf('by-hand')).state, (await shop.paymentOf('by-hand')).refunded.minor]).to.deep.equal(['COMPLETED', 300n]);
    shop.company.refundByHand('by-hand', 700n);
    await tell('by-hand');
    await allDone();
    expect((await shop.paymentOf('by-hand')).state).to.equal('REFUNDED');
    expect(await shop.eventsOf('by-hand')).to.deep.equal(['PaymentCompleted 10.00', 'PaymentRefunded 3.00', 'PaymentRefunded 7.00 whole']);
  });

  it('tell of a refund that the bank sent back', async () => {
    await shop.charge('bounced');
    await shop.refund('bounced');
    start();
    shop.company.settle(shop.company.charges[0]?.refunds[0]?.stripeRefundId ?? '', 'failed');
    await tell('bounced');
    await allDone();
    expect((await shop.eventsOf('bounced')).at(-1)).to.equal('PaymentRefundFailed 10.00');
    expect((await shop.paymentOf('bounced')).refunded.minor).to.equal(0n);
  });

  it('are not ours where they name no payment of this shop', async () => {
    start();
    await tell('nobody');
    await shop.company.charge({ idempotencyKey: 'x', orderId: 'of-another-shop', amount: { minor: 1n, currency: 'EUR' }, paymentMethod: 'pm' }, AbortSignal.abort());
    await tell('of-another-shop');
    await allDone();
    expect(await shop.run('SELECT order_id FROM payment')).to.deep.equal([]);
  });

  it('warn of a dispute, with its order, and change nothing', async () => {
    const { log, lines } = captureLog('warn');
    const { paymentIntentId } = await shop.charge('disputed');
    for (const intent of [paymentIntentId ?? '', 'pi_nobody']) {
      await shop.notice({ eventId: `evt_of_${intent}`, type: 'charge.dispute.created', paymentIntentId: intent });
    }
    start({ log });
    await allDone();
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ level: 'warn', orderId: 'disputed', paymentIntentId });
    expect((await shop.paymentOf('disputed')).state).to.equal('COMPLETED');
  });

  it('wait while Stripe does not answer, and have their effect later', async () => {
    await shop.charge('later');
    await shop.run(`UPDATE payment SET update_time = now()`);
    shop.company.refundByHand('later', 300n);
    shop.company.away = true;
    start();
    await tell('later');
    await until('it was tried', async () => (await shop.run('SELECT event_id FROM stripe_event WHERE tries > 0')).length === 1);
    await reconciler?.stop();
    expect(await shop.openNotices()).to.equal(1);
    shop.company.away = false;
    start({ clock: ahead(HOUR_MS) });
    await allDone();
    expect((await shop.paymentOf('later')).refunded.minor).to.equal(300n);
  });

  it('are forgotten a week after they had their effect', async () => {
    await shop.charge('swept');
    await tell('swept');
    start();
    await allDone();
    await reconciler?.stop();
    start({ clock: ahead(8 * DAY_MS) });
    await until('it is forgotten', async () => (await shop.run('SELECT event_id FROM stripe_event')).length === 0);
  });

  it('lead to the same end in any order, any number of times, at any moment of what they tell of', async () => {
    const step = fc.constantFrom('part', 'part lost', 'by hand', 'pending', 'bounce', 'tell', 'tell again', 'refund');
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
        await shop.clear();
        const orderId = `run-${(runs += 1)}`;
        shop.company.loseAnswers(1);
        await reasonOf(shop.charge(orderId));
        start();
        for (const [index, name] of steps.entries()) await take(orderId, name, index);
        shop.company.refundsAre = 'succeeded';
        await reasonOf(shop.charge(orderId));
        await tell(orderId);
        await allDone();
        await reconciler?.stop();
        await expectSame(orderId);
      }),
      { numRuns: 25, seed: 6 },
    );
  });

  async function take(orderId: string, step: string, index: number): Promise<void> {
    const newest = shop.company.charges[0]?.refunds.at(0);
    if (step.startsWith('part')) {
      shop.company.loseAnswers(step === 'part lost' ? 1 : 0);
      await reasonOf(shop.part(orderId, `${orderId}-${index}`, 250n));
    } else if (step === 'by hand') {
      try {
        shop.company.refundByHand(orderId, 200n);
      } catch {
        // Nothing is left to give back.
      }
    } else if (step === 'pending') shop.company.refundsAre = 'pending';
    else if (step === 'bounce' && newest) shop.company.settle(newest.stripeRefundId, 'failed');
    else if (step === 'refund') await reasonOf(shop.refund(orderId));
    else if (step.startsWith('tell')) await tell(orderId, step === 'tell' ? undefined : 'evt_again');
  }

  /** Our tables say of the order's refunds what the card company says. */
  async function expectSame(orderId: string): Promise<void> {
    const given = shop.company.charges[0]?.refunds.filter(({ state }) => state !== 'failed').reduce((sum, { amount }) => sum + amount.minor, 0n);
    const { refunded, refundHeld } = await shop.paymentOf(orderId);
    const requested = (await shop.refundsOf(orderId)).filter(([, state]) => state === 'REQUESTED').reduce((sum, [, , minor]) => sum + minor, 0n);
    expect(refunded.minor, 'given back').to.equal(given);
    expect(refundHeld.minor, 'held').to.equal(refunded.minor + requested);
    expect(shop.company.charges).to.have.length(1);
    const said = await shop.eventsOf(orderId);
    expect(said.filter((event) => event.startsWith('PaymentCompleted'))).to.have.length(1);
    const sum = (type: string): bigint =>
      said.filter((event) => event.startsWith(`${type} `)).reduce((total, event) => total + BigInt((event.split(' ')[1] ?? '0').replace('.', '')), 0n);
    expect(sum('PaymentRefunded') - sum('PaymentRefundFailed'), 'announced').to.equal(given);
  }
});
