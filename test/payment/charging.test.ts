import { expect } from 'chai';

import { refusal } from '#kit';

import type { CardGateway } from '../../services/payment/card-gateway.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { ahead, HOUR_MS, type PaymentsFixture, reasonOf, startPayments } from './payments-fixture.ts';

describe('a charge', () => {
  let shop: PaymentsFixture;
  before(async () => void (shop = await startPayments()));
  after(() => shop?.stop());
  beforeEach(() => {
    shop.company.away = false;
    shop.company.loseAnswers(0);
  });

  it('announces in its own transaction that it was completed, or that it failed, once', async () => {
    for (let twice = 0; twice < 2; twice += 1) {
      expect((await shop.charge('done')).state).to.equal('COMPLETED');
      expect((await shop.charge('declined', 'pm_card_chargeDeclined')).state).to.equal('FAILED');
    }
    expect(await shop.eventsOf('done')).to.deep.equal(['PaymentCompleted 10.00']);
    expect(await shop.eventsOf('declined')).to.deep.equal(['PaymentFailed 10.00']);
  });

  it('is announced once when many ask at once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => shop.charge('at-once')));
    expect(await shop.eventsOf('at-once')).to.deep.equal(['PaymentCompleted 10.00']);
    expect(shop.company.charges.filter(({ orderId }) => orderId === 'at-once')).to.have.length(1);
  });

  it('announces nothing where it is rolled back', async () => {
    const broken = await startPayments({
      hooks: {
        beforeCommit: (name) => {
          if (name === 'payment.settle') throw new Error('killed');
        },
      },
    });
    expect(await reasonOf(broken.charge('rolled-back'))).to.equal('INTERNAL');
    expect(await broken.eventsOf('rolled-back')).to.deep.equal([]);
    expect((await broken.paymentOf('rolled-back')).state).to.equal('PROCESSING');
    await broken.stop();
  });

  describe('whose answer never came', () => {
    async function lostAt(orderId: string, paymentMethod?: string): Promise<void> {
      shop.company.loseAnswers(1);
      expect(await reasonOf(shop.charge(orderId, paymentMethod))).to.equal('PAYMENT_PROVIDER_UNAVAILABLE');
    }
    const later = (hours: number) => shop.with({ clock: ahead(hours * HOUR_MS) });

    it('is asked for again under the same key while the card company knows that', async () => {
      await lostAt('soon');
      expect((await shop.charge('soon', 'pm_card_visa', later(22))).state).to.equal('COMPLETED');
      expect(new Set(shop.company.asked.filter((key) => key.includes('soon')))).to.deep.equal(new Set(['charge-soon']));
    });

    for (const [paymentMethod, state] of [['pm_card_visa', 'COMPLETED'], ['pm_card_chargeDeclined', 'FAILED']] as const) {
      it(`is looked up, and not sent again, once the card company may have forgotten the key (${state})`, async () => {
        const orderId = `found-${state.toLowerCase()}`;
        await lostAt(orderId, paymentMethod);
        shop.company.forgetKeys();
        expect((await shop.charge(orderId, paymentMethod, later(24))).state).to.equal(state);
        expect(shop.company.asked.filter((key) => key.includes(orderId))).to.have.length(1);
        expect(shop.company.charges.filter((charge) => charge.orderId === orderId)).to.have.length(1);
      });
    }

    it('has failed when the card company turns out to know of no charge', async () => {
      shop.company.away = true;
      await reasonOf(shop.charge('never'));
      expect(await reasonOf(shop.charge('never', 'pm_card_visa', later(25))), 'nobody can say').to.equal('PAYMENT_PROVIDER_UNAVAILABLE');
      shop.company.away = false;
      const payment = await shop.charge('never', 'pm_card_visa', later(25));
      expect([payment.state, payment.declineCode]).to.deep.equal(['FAILED', 'never_charged']);
      expect(shop.company.charges.filter(({ orderId }) => orderId === 'never')).to.deep.equal([]);
    });

    it('is neither sent again nor given up while what was sent in the last second of its key may be on its way', async () => {
      shop.company.away = true;
      await reasonOf(shop.charge('border'));
      shop.company.away = false;
      const onTheWay: (() => Promise<unknown>)[] = [];
      const slow: CardGateway = {
        ...shop.company,
        async charge(...asked) {
          onTheWay.push(() => shop.company.charge(...asked));
          throw refusal('PAYMENT_PROVIDER_UNAVAILABLE', 'no answer');
        },
      };
      const at = (hours: number, seconds: number) => ({ ...later(hours + seconds / 3_600), gateway: slow });
      for (const given of [at(23, -10), at(23, 1), at(24, 0), at(24.25, -10)]) {
        expect(await reasonOf(shop.charge('border', 'pm_card_visa', given))).to.equal('PAYMENT_PROVIDER_UNAVAILABLE');
      }
      expect(onTheWay).to.have.length(1);
      await onTheWay[0]?.();
      expect((await shop.charge('border', 'pm_card_visa', at(23, 2))).state).to.equal('COMPLETED');
      expect(shop.company.charges.filter(({ orderId }) => orderId === 'border')).to.have.length(1);
    });

    it('stays open while one of several attempts is, whatever became of the last one', async () => {
      await reasonOf(shop.charge('mixed', 'pm_unsettled'));
      const other = { idempotencyKey: 'mixed-other', orderId: 'mixed', amount: { minor: 1_000n, currency: 'EUR' }, paymentMethod: 'pm_card_chargeDeclined' };
      await shop.company.charge(other, AbortSignal.abort());
      expect(await reasonOf(shop.charge('mixed', 'pm_unsettled', later(25)))).to.equal('PAYMENT_OUTCOME_UNKNOWN');
    });

    it('stays open when even then the card company has not settled it, or took another amount', async () => {
      await reasonOf(shop.charge('unsettled', 'pm_unsettled'));
      expect(await reasonOf(shop.charge('unsettled', 'pm_unsettled', later(24)))).to.equal('PAYMENT_OUTCOME_UNKNOWN');
      expect(await reasonOf(shop.refund('unsettled', later(24))), 'nor is it refunded').to.equal('PAYMENT_OUTCOME_UNKNOWN');
      await lostAt('other-amount');
      const [charge] = shop.company.charges.filter(({ orderId }) => orderId === 'other-amount');
      Object.assign(charge ?? {}, { amount: { minor: 999n, currency: 'EUR' } });
      expect(await reasonOf(shop.charge('other-amount', 'pm_card_visa', later(24)))).to.equal('PAYMENT_OUTCOME_UNKNOWN');
      expect((await shop.paymentOf('unsettled')).state).to.equal('PROCESSING');
    });

    it('counts the first of two captures, and gives the other one back', async () => {
      await lostAt('twice');
      await shop.company.charge({ idempotencyKey: 'other', orderId: 'twice', amount: { minor: 1_000n, currency: 'EUR' }, paymentMethod: 'pm_card_visa' }, AbortSignal.abort());
      const { log, lines } = captureLog();
      const payment = await shop.charge('twice', 'pm_card_visa', { ...later(24), log });
      const [first, second] = shop.company.charges.filter(({ orderId }) => orderId === 'twice');
      expect(payment.paymentIntentId).to.equal(first?.paymentIntentId);
      expect(lines[0]).to.deep.include({ level: 'warn', orderId: 'twice', paymentIntentId: second?.paymentIntentId });
      expect([first?.refunds.length, second?.refunds.map(({ amount }) => amount.minor)]).to.deep.equal([0, [1_000n]]);
    });
  });
});
