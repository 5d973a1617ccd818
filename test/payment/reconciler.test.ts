import { expect } from 'chai';

import { type Clock, type Log, refusal } from '#kit';

import type { CardGateway } from '../../services/payment/card-gateway.ts';
import type { Payments } from '../../services/payment/payments.ts';
import { createReconciler, type Reconciler } from '../../services/payment/reconciler.ts';
import { claimUnsettledRefunds } from '../../services/payment/refund-store.ts';
import { claimUnsettled } from '../../services/payment/store.ts';
import { keepNotice } from '../../services/payment/webhook/event-store.ts';
import { until } from '../database/until.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { ahead, DAY_MS, HOUR_MS, type PaymentsFixture, reasonOf, startPayments } from './payments-fixture.ts';

describe('the reconciler', () => {
  let shop: PaymentsFixture;
  const started: Reconciler[] = [];
  before(async () => void (shop = await startPayments()));
  after(() => shop?.stop());
  afterEach(async () => {
    await Promise.all(started.splice(0).map((reconciler) => reconciler.stop()));
    await shop.clear();
  });

  /** An instance of the service that looks every 10 ms. */
  function start(changes: Partial<Payments> = {}): Reconciler {
    const reconciler = createReconciler(shop.with({ ...changes }), 10);
    started.push(reconciler);
    reconciler.start();
    return reconciler;
  }

  async function lose(orderId: string): Promise<void> {
    shop.company.loseAnswers(1);
    expect(await reasonOf(shop.charge(orderId))).to.equal('PAYMENT_PROVIDER_UNAVAILABLE');
  }

  const isSettled = (orderId: string) => async (): Promise<boolean> => (await shop.paymentOf(orderId)).state !== 'PROCESSING';
  const minutes = (count: number): { clock: Clock } => ({ clock: ahead(count * 60_000) });

  it('finds out what became of a charge whose asker never came back, and announces it', async () => {
    await lose('lost');
    start(minutes(1));
    await until('it is settled', isSettled('lost'));
    expect((await shop.paymentOf('lost')).state).to.equal('COMPLETED');
    expect(await shop.eventsOf('lost')).to.deep.equal(['PaymentCompleted 10.00']);
    expect(shop.company.charges).to.have.length(1);
  });

  it('leaves a charge to its asker for the time that it has', async () => {
    await lose('young');
    expect(await claimUnsettled(shop.database, { now: new Date(), pauseMs: 30_000, limit: 10 })).to.deep.equal([]);
    const [claimed] = await claimUnsettled(shop.database, { now: new Date(Date.now() + 31_000), pauseMs: 30_000, limit: 10 });
    expect(claimed?.orderId).to.equal('young');
  });

  it('looks one up whose key may be forgotten, and charges nobody a second time', async () => {
    await lose('old');
    shop.company.forgetKeys();
    start({ clock: ahead(DAY_MS) });
    await until('it is settled', isSettled('old'));
    expect([(await shop.paymentOf('old')).state, shop.company.charges.length]).to.deep.equal(['COMPLETED', 1]);
  });

  it('gives each to one instance at a time, twice as long with every try, an hour at most', async () => {
    await lose('shared');
    const pauses: number[] = [];
    let nowMs = Date.now() + 31_000;
    for (let tries = 0; tries < 10; tries += 1) {
      const claim = { now: new Date(nowMs), pauseMs: 30_000, limit: 10 };
      const both = await Promise.all([claimUnsettled(shop.database, claim), claimUnsettled(shop.database, claim)]);
      expect(both.flat()).to.have.length(1);
      const [row] = await shop.run('SELECT check_time AS due FROM payment');
      const dueMs = (row as { due: Date }).due.getTime();
      pauses.push((dueMs - nowMs) / 1_000);
      nowMs = dueMs;
    }
    expect(pauses).to.deep.equal([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
  });

  it('settles many, with several instances, each once', async () => {
    const orders = Array.from({ length: 30 }, (_, index) => `many-${index}`);
    for (const orderId of orders) await lose(orderId);
    for (let instances = 0; instances < 3; instances += 1) start(minutes(1));
    for (const orderId of orders) await until('all are settled', isSettled(orderId));
    for (const orderId of orders) expect(await shop.eventsOf(orderId)).to.deep.equal(['PaymentCompleted 10.00']);
    expect(shop.company.charges).to.have.length(30);
  });

  it('waits while the card company is away, says so once, and goes on when it is back', async () => {
    shop.company.away = true;
    await reasonOf(shop.charge('away'));
    const { log, lines } = captureLog('warn');
    let nowMs = Date.now() + DAY_MS;
    const clock: Clock = { ...ahead(0), now: () => (nowMs += HOUR_MS) };
    let asks = 0;
    const gateway: CardGateway = {
      ...shop.company,
      findCharges(...asked) {
        asks += 1;
        return shop.company.findCharges(...asked);
      },
    };
    start({ clock, log, gateway });
    await until('it has asked more than once', () => asks > 2);
    expect(lines.map(({ level, msg }) => [level, msg.slice(0, 8)])).to.deep.equal([['warn', 'payments']]);
    shop.company.away = false;
    await until('it is settled', isSettled('away'));
  });

  it('settles charges and refunds also while events of Stripe come without end, and while those cannot be taken up', async () => {
    const notice = async (eventId: string): Promise<boolean> =>
      keepNotice(shop.database, { eventId, type: 'charge.refunded', paymentIntentId: 'pi_nobody', orderId: undefined }, new Date());
    for (const [orderId, trouble] of [['busy', undefined], ['blocked', refusal('PAYMENT_PROVIDER_UNAVAILABLE', 'not now')]] as const) {
      await lose(orderId);
      let events = 0;
      const more = (): Promise<boolean> => notice(`evt_${orderId}_${(events += 1)}`);
      for (let count = 0; count < 8; count += 1) await more();
      const gateway: CardGateway = {
        ...shop.company,
        async lookUp() {
          await more();
          if (trouble) throw trouble;
          return undefined;
        },
      };
      const reconciler = start({ ...minutes(1), gateway });
      await until('the charge is settled', isSettled(orderId));
      await reconciler.stop();
    }
  });

  it('makes the refund whose answer was lost known, and the refused one go through', async () => {
    for (const orderId of ['lost', 'refused']) await shop.charge(orderId);
    shop.company.loseAnswers(1);
    await reasonOf(shop.refund('lost'));
    shop.company.refuseRefunds(2);
    expect((await shop.part('refused', 'part', 300n)).refund.state).to.equal('REQUESTED');
    let nowMs = Date.now() + 60_000;
    start({ clock: { ...ahead(0), now: () => (nowMs += 60_000) } });
    await until('both are given back', async () => (await shop.paymentOf('lost')).state === 'REFUNDED' && (await shop.paymentOf('refused')).refunded.minor === 300n);
    expect(shop.company.charges.map(({ refunds }) => refunds.length)).to.deep.equal([1, 1]);
  });

  describe('of refunds that counted as given back', () => {
    async function bounced(state: 'pending' | 'succeeded', afterMs: number, log: Log = shop.payments.log): Promise<void> {
      shop.company.refundsAre = state;
      await shop.charge('bounced');
      await shop.refund('bounced');
      shop.company.settle(shop.company.charges[0]?.refunds[0]?.stripeRefundId ?? '', 'failed');
      start({ clock: ahead(afterMs), log });
    }

    for (const [state, afterMs] of [['pending', 30_000], ['succeeded', DAY_MS]] as const) {
      it(`notices one that was ${state} and that the bank sent back later, and says so loudly`, async () => {
        const { log, lines } = captureLog('error');
        await bounced(state, afterMs + 5_000, log);
        await until('it is noticed', async () => (await shop.eventsOf('bounced')).length === 3);
        const { refunded, state: now } = await shop.paymentOf('bounced');
        expect([now, refunded.minor]).to.deep.equal(['REFUNDED', 0n]);
        expect((await shop.eventsOf('bounced')).at(-1)).to.equal('PaymentRefundFailed 10.00');
        expect(lines[0]).to.include({ orderId: 'bounced', failure: 'expired_or_canceled_card' });
      });
    }

    it('asks about one that waits for the bank 30 s after it was made, 1, 2, 4 … minutes, and then every hour', async () => {
      shop.company.refundsAre = 'pending';
      await shop.charge('waits');
      await shop.refund('waits');
      const dueAt = async (): Promise<Date> => ((await shop.run('SELECT check_time AS due FROM refund'))[0] as { due: Date }).due;
      const [{ made }] = (await shop.run('SELECT update_time AS made FROM refund')) as [{ made: Date }];
      const seconds: number[] = [];
      for (let looks = 0; looks < 10; looks += 1) {
        const due = await dueAt();
        seconds.push((due.getTime() - made.getTime()) / 1_000);
        expect(await claimUnsettledRefunds(shop.database, { now: due, pauseMs: 30_000, limit: 1 })).to.have.length(1);
      }
      expect(seconds).to.deep.equal([30, 60, 120, 240, 480, 960, 1_920, 3_840, 7_440, 11_040]);
    });

    it('looks again after 1, 2, 4, 8 and 16 days, and then no more', async () => {
      await shop.charge('kept');
      await shop.refund('kept');
      const days: number[] = [];
      for (;;) {
        const [row] = await shop.run('SELECT check_time AS due FROM refund');
        const { due } = row as { due: Date | null };
        if (!due) break;
        days.push(Math.round((due.getTime() - Date.now()) / DAY_MS));
        expect(await claimUnsettledRefunds(shop.database, { now: due, pauseMs: 30_000, limit: 1 })).to.have.length(1);
      }
      expect(days).to.deep.equal([1, 3, 7, 15, 31]);
    });
  });
});
