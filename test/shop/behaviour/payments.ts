import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import type { Database } from '#database';
import { PaymentState, RefundState } from '#proto/shop/payment/v1/payment_pb.js';

import { moneyOf, refusalOf, until } from '../orders.ts';
import type { Shop } from '../shop-fixture.ts';

/** What the payment service promises. */
export function describePayments(shopOf: () => Shop): void {
  describe('a payment', () => {
    const amount = { currencyCode: 'EUR', units: 10n, nanos: 0 };

    it('is charged once, however often and at once it is asked for', async () => {
      const shop = shopOf();
      const charge = { orderId: randomUUID(), amount, paymentMethod: 'pm_card_visa' };
      const answers = await Promise.allSettled(Array.from({ length: 5 }, () => shop.payments.charge(charge)));
      expect(answers.some(({ status }) => status === 'fulfilled')).to.equal(true);
      expect((await shop.payments.charge(charge)).payment?.state).to.equal(PaymentState.COMPLETED);
      expect(await moneyOf(shop, charge.orderId)).to.deep.equal({ captures: 1, net: 1000n });
      const error = await refusalOf(shop.payments.charge({ ...charge, amount: { ...amount, units: 11n } }));
      expect(error.reason).to.equal('IDEMPOTENCY_KEY_REUSED');
    });

    it('is refunded once', async () => {
      const shop = shopOf();
      const orderId = randomUUID();
      await shop.payments.charge({ orderId, amount, paymentMethod: 'pm_card_visa' });
      for (let twice = 0; twice < 2; twice += 1) expect((await shop.payments.refund({ orderId })).payment?.state).to.equal(PaymentState.REFUNDED);
      expect(await moneyOf(shop, orderId)).to.deep.equal({ captures: 1, net: 0n });
    });

    it('is given back in parts, each once, and then the rest of it', async () => {
      const shop = shopOf();
      const orderId = randomUUID();
      await shop.payments.charge({ orderId, amount, paymentMethod: 'pm_card_visa' });
      const part = { orderId, refundId: randomUUID(), amount: { ...amount, units: 3n }, reason: 'one cup was broken' };
      for (let twice = 0; twice < 2; twice += 1) {
        const { payment, refund } = await shop.payments.refundPart(part);
        expect(payment).to.deep.include({ state: PaymentState.COMPLETED });
        expect(payment?.refundedAmount).to.deep.include(part.amount);
        expect(refund).to.deep.include({ refundId: part.refundId, state: RefundState.SUCCEEDED, reason: part.reason });
      }
      expect(await moneyOf(shop, orderId)).to.deep.equal({ captures: 1, net: 700n });
      const tooMuch = await refusalOf(shop.payments.refundPart({ ...part, refundId: randomUUID(), amount: { ...amount, units: 8n } }));
      expect([tooMuch.code, tooMuch.reason]).to.deep.equal(['FAILED_PRECONDITION', 'REFUND_TOO_LARGE']);
      const other = await refusalOf(shop.payments.refundPart({ ...part, amount: { ...amount, units: 4n } }));
      expect(other.reason).to.equal('IDEMPOTENCY_KEY_REUSED');
      expect((await shop.payments.refund({ orderId })).payment?.state).to.equal(PaymentState.REFUNDED);
      expect(await moneyOf(shop, orderId)).to.deep.equal({ captures: 1, net: 0n });
      const { payment, refunds } = await shop.payments.getPayment({ orderId });
      expect(payment?.refundedAmount).to.deep.include(amount);
      expect(refunds.map((refund) => refund.amount?.units)).to.deep.equal([3n, 7n]);
    });

    it('is never given back twice, however many ask at once for whatever part', async () => {
      const shop = shopOf();
      const orderId = randomUUID();
      await shop.payments.charge({ orderId, amount, paymentMethod: 'pm_card_visa' });
      const part = { orderId, refundId: randomUUID(), amount: { ...amount, units: 4n }, reason: '' };
      const asked = [part, part, { ...part, refundId: randomUUID() }, { ...part, refundId: randomUUID() }];
      await Promise.allSettled([...asked.map((request) => shop.payments.refundPart(request)), shop.payments.refund({ orderId })]);
      await until('all of it is given back', 20_000, async () => ((await shop.payments.refund({ orderId }).catch(() => undefined))?.payment ? true : undefined));
      expect(await moneyOf(shop, orderId)).to.deep.equal({ captures: 1, net: 0n });
    });

    it('refunded before it was charged refuses to be charged late', async () => {
      const shop = shopOf();
      const orderId = randomUUID();
      await shop.payments.refund({ orderId });
      const error = await refusalOf(shop.payments.charge({ orderId, amount, paymentMethod: 'pm_card_visa' }));
      expect(error.reason).to.equal('PAYMENT_CLOSED');
      expect(await shop.ledger(orderId)).to.deep.equal([]);
    });

    it('of an order that has none is not found', async () => {
      const error = await refusalOf(shopOf().payments.getPayment({ orderId: randomUUID() }));
      expect([error.code, error.reason]).to.deep.equal(['NOT_FOUND', 'PAYMENT_NOT_FOUND']);
    });

    for (const [what, tooMuch, says] of [
      ['larger than Stripe takes', { currencyCode: 'EUR', units: 1_000_000n, nanos: 0 }, '999999.99 EUR'],
      ['larger than Stripe takes, which counts krónur in hundredths', { currencyCode: 'ISK', units: 1_000_000n, nanos: 0 }, '999999 ISK'],
      ['finer than cards pay', { currencyCode: 'KWD', units: 5n, nanos: 124_000_000 }, '0.010 KWD'],
    ] as const) {
      it(`${what} is refused before it is opened`, async () => {
        const shop = shopOf();
        const orderId = randomUUID();
        const error = await refusalOf(shop.payments.charge({ orderId, amount: tooMuch, paymentMethod: 'pm_card_visa' }));
        expect(error.reason).to.equal('INVALID_ARGUMENT');
        expect(error.message).to.contain(says);
        expect((await refusalOf(shop.payments.getPayment({ orderId }))).reason).to.equal('PAYMENT_NOT_FOUND');
        expect(await shop.ledger(orderId)).to.deep.equal([]);
      });
    }

    it('in krónur is charged at Stripe in hundredths', async () => {
      const shop = shopOf();
      const orderId = randomUUID();
      const kronur = { currencyCode: 'ISK', units: 1_990n, nanos: 0 };
      const { payment } = await shop.payments.charge({ orderId, amount: kronur, paymentMethod: 'pm_card_visa' });
      expect(payment?.amount).to.deep.include(kronur);
      const [entry] = await shop.ledger(orderId);
      expect(entry).to.include({ amountMinor: 199_000n, currency: 'ISK' });
    });

    it('whose refund the bank sends back stays charged, and says who has to act', async () => {
      const shop = shopOf();
      const orderId = randomUUID();
      await shop.payments.charge({ orderId, amount, paymentMethod: 'pm_card_refundFail' });
      for (let twice = 0; twice < 2; twice += 1) {
        const error = await refusalOf(shop.payments.refund({ orderId }));
        expect([error.code, error.reason]).to.deep.equal(['FAILED_PRECONDITION', 'REFUND_FAILED']);
        expect(error.message).to.contain('by hand');
      }
      expect((await shop.payments.getPayment({ orderId })).payment?.state).to.equal(PaymentState.COMPLETED);
      expect(await moneyOf(shop, orderId)).to.deep.equal({ captures: 1, net: 1000n });
    });

    it('whose refund is pending counts as refunded', async () => {
      const shop = shopOf();
      const orderId = randomUUID();
      await shop.payments.charge({ orderId, amount, paymentMethod: 'pm_card_pendingRefund' });
      expect((await shop.payments.refund({ orderId })).payment?.state).to.equal(PaymentState.REFUNDED);
      expect(await moneyOf(shop, orderId)).to.deep.equal({ captures: 1, net: 0n });
    });

    it('whose refund is refused for a while is refunded once it is not', async () => {
      const shop = shopOf();
      const orderId = randomUUID();
      await shop.payments.charge({ orderId, amount, paymentMethod: 'pm_card_refundRefused_2' });
      for (let twice = 0; twice < 2; twice += 1) expect((await refusalOf(shop.payments.refund({ orderId }))).reason).to.equal('PAYMENT_REJECTED');
      expect((await shop.payments.refund({ orderId })).payment?.state).to.equal(PaymentState.REFUNDED);
      expect(await moneyOf(shop, orderId)).to.deep.equal({ captures: 1, net: 0n });
    });

    it('on a full disk is not lost, nor charged twice, and goes on when there is room', async () => {
      const shop = shopOf();
      const database = shop.database('payment');
      for (const when of ['INSERT', 'UPDATE'] as const) {
        const orderId = randomUUID();
        const charge = { orderId, amount, paymentMethod: 'pm_card_visa' };
        const makeRoom = await fillDisk(database, when, orderId);
        const error = await refusalOf(shop.payments.charge(charge));
        await makeRoom();
        expect([error.code, error.reason]).to.deep.equal(['UNAVAILABLE', 'DATABASE_UNAVAILABLE']);
        expect(error.message).to.contain('disk').and.contain('full');
        // Before the INSERT nothing is known of it; before the UPDATE the money has moved already.
        expect(await moneyOf(shop, orderId)).to.deep.equal(when === 'INSERT' ? { captures: 0, net: 0n } : { captures: 1, net: 1000n });
        expect((await shop.payments.charge(charge)).payment?.state).to.equal(PaymentState.COMPLETED);
        expect(await moneyOf(shop, orderId)).to.deep.equal({ captures: 1, net: 1000n });
      }
    });

    it('by a method the card company does not know fails for good', async () => {
      const shop = shopOf();
      const charge = { orderId: randomUUID(), amount, paymentMethod: 'pm_card_nobody_has' };
      expect((await shop.payments.charge(charge)).payment).to.deep.include({ state: PaymentState.FAILED, declineCode: 'request_rejected' });
      expect(await shop.ledger(charge.orderId)).to.deep.equal([]);
    });
  });
}

/** Lets Postgres say that its disk is full whenever this order's payment is written, in the words of a disk that is. Returns what makes room. */
async function fillDisk(database: Database, when: 'INSERT' | 'UPDATE', orderId: string): Promise<() => Promise<void>> {
  const name = `full_disk_${when.toLowerCase()}`;
  const run = async (...statements: string[]): Promise<void> => {
    for (const text of statements) await database.query({ name: '', text }, []);
  };
  await run(
    `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       RAISE 'could not extend file "base/5/1259": No space left on device' USING ERRCODE = 'disk_full', HINT = 'Check free disk space.';
     END $$`,
    `CREATE TRIGGER ${name} BEFORE ${when} ON payment FOR EACH ROW WHEN (NEW.order_id = '${orderId}') EXECUTE FUNCTION ${name}()`,
  );
  return () => run(`DROP TRIGGER ${name} ON payment`, `DROP FUNCTION ${name}`);
}
