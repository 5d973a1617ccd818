import { expect } from 'chai';

import { refundPart } from '../../services/payment/refunding.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import { eur, type PaymentsFixture, reasonOf, SIGNAL, startPayments } from './payments-fixture.ts';

describe('giving money back', () => {
  let shop: PaymentsFixture;
  before(async () => void (shop = await startPayments()));
  after(() => shop?.stop());
  beforeEach(() => {
    shop.company.away = false;
    shop.company.refundsAre = 'succeeded';
  });

  it('gives all of it back once, however often and at once it is asked for', async () => {
    const orderId = await shop.charged();
    const answers = await Promise.all(Array.from({ length: 6 }, () => shop.refund(orderId)));
    for (const { state, refunded } of answers) expect([state, refunded.minor]).to.deep.equal(['REFUNDED', 1_000n]);
    expect(shop.refundsAtCompany(orderId)).to.deep.equal([['succeeded', 1_000n]]);
    expect(await shop.eventsOf(orderId)).to.deep.equal(['PaymentCompleted 10.00', 'PaymentRefunded 10.00 whole']);
  });

  it('gives parts back, each once, and then what is left', async () => {
    const orderId = await shop.charged();
    for (let twice = 0; twice < 2; twice += 1) {
      const { payment, refund } = await shop.part(orderId, `${orderId}-a`, 300n);
      expect([payment.state, payment.refunded.minor, refund.state]).to.deep.equal(['COMPLETED', 300n, 'SUCCEEDED']);
    }
    await shop.part(orderId, `${orderId}-b`, 200n);
    expect((await shop.refund(orderId)).state).to.equal('REFUNDED');
    expect(shop.refundsAtCompany(orderId)).to.deep.equal([['succeeded', 500n], ['succeeded', 200n], ['succeeded', 300n]]);
    expect(await shop.eventsOf(orderId)).to.deep.equal([
      'PaymentCompleted 10.00',
      'PaymentRefunded 3.00',
      'PaymentRefunded 2.00',
      'PaymentRefunded 5.00 whole',
    ]);
  });

  it('is REFUNDED when parts come to all of it', async () => {
    const orderId = await shop.charged();
    await shop.part(orderId, `${orderId}-a`, 400n);
    expect((await shop.part(orderId, `${orderId}-b`, 600n)).payment.state).to.equal('REFUNDED');
    expect((await shop.eventsOf(orderId)).at(-1)).to.equal('PaymentRefunded 6.00 whole');
    expect((await shop.refund(orderId)).state, 'nothing is left to refund').to.equal('REFUNDED');
    expect(shop.refundsAtCompany(orderId)).to.have.length(2);
  });

  it('never gives back more than was captured, also when parts are asked for at once', async () => {
    const orderId = await shop.charged();
    const asked = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => shop.part(orderId, `${orderId}-${index}`, 300n)));
    const refused = asked.flatMap((result) => (result.status === 'rejected' ? [result.reason.reason] : []));
    expect(refused).to.deep.equal(Array.from({ length: 5 }, () => 'REFUND_TOO_LARGE'));
    expect((await shop.paymentOf(orderId)).refunded.minor).to.equal(900n);
    const error = await expectRefusal('REFUND_TOO_LARGE', shop.part(orderId, `${orderId}-more`, 101n));
    expect(error.metadata).to.include({ left_minor: '100', currency: 'EUR' });
    expect(error.message).to.include('1.00 EUR are left; ask for that or less').and.not.include('parts');
  });

  it('goes back in a hundred parts at most, and then as a whole', async () => {
    const orderId = await shop.charged();
    await shop.run(
      `INSERT INTO refund (refund_id, order_id, amount_minor, state, reason, ask_time, create_time, update_time)
       SELECT $1 || '-' || n, $1, 1, 'SUCCEEDED', '', now(), now(), now() FROM generate_series(1, 100) AS n`,
      orderId,
    );
    const error = await expectRefusal('REFUND_TOO_LARGE', shop.part(orderId, `${orderId}-more`, 1n));
    expect(error.message).to.include('it went back in 100 parts already').and.include('Refund gives back what is left');
    const tooMuch = await expectRefusal('REFUND_TOO_LARGE', shop.part(orderId, `${orderId}-much`, 901n));
    expect(tooMuch.message).to.include('9.00 EUR are left').and.not.include('parts');
    expect((await shop.refund(orderId)).state).to.equal('REFUNDED');
  });

  it('goes back in a hundred parts at most, also when the last are asked for at once', async () => {
    const orderId = await shop.charged();
    await shop.run(
      `INSERT INTO refund (refund_id, order_id, amount_minor, state, reason, ask_time, create_time, update_time)
       SELECT $1 || '-' || n, $1, 1, 'SUCCEEDED', '', now(), now(), now() FROM generate_series(1, 99) AS n`,
      orderId,
    );
    const reasons = await Promise.all(Array.from({ length: 6 }, (_, index) => reasonOf(shop.part(orderId, `${orderId}-more-${index}`, 1n))));
    expect(reasons.filter((reason) => reason === '')).to.have.length(1);
  });

  it('refuses a part in another currency than was paid in, and says in which to ask', async () => {
    const orderId = await shop.charged();
    const inUsd = { orderId, refundId: `${orderId}-a`, amount: { minor: 100n, currency: 'USD' }, reason: '' };
    const error = await expectRefusal('INVALID_ARGUMENT', refundPart(shop.payments, inUsd, SIGNAL));
    expect(error.message).to.include('ask for it in EUR');
    await shop.part(orderId, `${orderId}-a`, 100n);
    expect(await reasonOf(refundPart(shop.payments, inUsd, SIGNAL)), 'the key stands for another amount').to.equal('IDEMPOTENCY_KEY_REUSED');
  });

  it('refuses the key of another refund, and what was never captured', async () => {
    const orderId = await shop.charged();
    const other = await shop.charged();
    await shop.part(orderId, `${orderId}-a`, 300n);
    expect(await reasonOf(shop.part(orderId, `${orderId}-a`, 301n))).to.equal('IDEMPOTENCY_KEY_REUSED');
    expect(await reasonOf(shop.part(other, `${orderId}-a`, 300n))).to.equal('IDEMPOTENCY_KEY_REUSED');
    await shop.charge('declined', 'pm_card_chargeDeclined');
    const nothing = await expectRefusal('REFUND_TOO_LARGE', shop.part('declined', 'of-nothing', 1n));
    expect(nothing.message).to.include('nothing of it is left');
    await shop.refund('closed');
    expect(await reasonOf(shop.part('closed', 'of-closed', 1n))).to.equal('REFUND_TOO_LARGE');
    expect(await reasonOf(shop.part('nobody', 'of-nobody', 1n))).to.equal('PAYMENT_NOT_FOUND');
  });

  it('answers a part that is refused for now as REQUESTED, which nobody takes for a reason to ask for another one', async () => {
    const orderId = await shop.charged();
    shop.company.refuseRefunds(1);
    const { payment, refund } = await shop.part(orderId, `${orderId}-a`, 300n);
    expect([refund.state, payment.refunded.minor, payment.refundHeld.minor]).to.deep.equal(['REQUESTED', 0n, 300n]);
    expect((await shop.part(orderId, `${orderId}-a`, 300n)).refund.state).to.equal('SUCCEEDED');
    expect(shop.refundsAtCompany(orderId)).to.deep.equal([['succeeded', 300n]]);
  });

  it('gives back as a further rest what a part held that was given up after the rest had gone back', async () => {
    const orderId = await shop.charged();
    const { paymentIntentId } = await shop.paymentOf(orderId);
    const rest = { idempotencyKey: `rest-${orderId}`, paymentIntentId: paymentIntentId ?? '', amount: eur(700n), orderId, refundId: `whole.${orderId}` };
    await shop.company.refund(rest, SIGNAL);
    await shop.run(
      `INSERT INTO refund (refund_id, order_id, amount_minor, state, reason, ask_time, create_time, update_time)
       VALUES ($1 || '-a', $1, 300, 'REQUESTED', '', now(), now(), now()), ('whole.' || $1, $1, 700, 'SUCCEEDED', '', now(), now(), now())`,
      orderId,
    );
    await shop.run(`UPDATE refund SET state = 'FAILED', failure = 'refunded_elsewhere' WHERE refund_id = $1`, `${orderId}-a`);
    for (let twice = 0; twice < 2; twice += 1) expect((await shop.refund(orderId)).state).to.equal('REFUNDED');
    expect((await shop.refundsOf(orderId)).slice(2)).to.deep.equal([[`whole.${orderId}.2`, 'SUCCEEDED', 300n]]);
    expect(shop.refundsAtCompany(orderId)).to.deep.equal([['succeeded', 300n], ['succeeded', 700n]]);
  });

  it('asks under a new key where the card company refused, since it repeats that under the old one', async () => {
    const orderId = await shop.charged();
    shop.company.refuseRefunds(2);
    for (let twice = 0; twice < 2; twice += 1) expect(await reasonOf(shop.refund(orderId))).to.equal('PAYMENT_REJECTED');
    expect((await shop.refund(orderId)).state).to.equal('REFUNDED');
    const keys = shop.company.asked.filter((key) => key.startsWith(`refund-whole.${orderId}-`));
    expect(keys).to.deep.equal([1, 2, 3].map((attempt) => `refund-whole.${orderId}-${attempt}`));
  });

  it('counts a refund that is pending as given back', async () => {
    const orderId = await shop.charged();
    shop.company.refundsAre = 'pending';
    expect((await shop.refund(orderId)).state).to.equal('REFUNDED');
    expect(await shop.refundsOf(orderId)).to.deep.equal([[`whole.${orderId}`, 'PENDING', 1_000n]]);
  });
});
