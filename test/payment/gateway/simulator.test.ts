import { expect } from 'chai';

import { fromStripeAmount } from '#stripe-simulator';

import type { StripeGateway } from '../../../services/payment/stripe-gateway.ts';
import { expectRefusal } from '../../database/expect-refusal.ts';
import { type SimulatorFixture, startSimulatorFixture } from '../simulator/simulator-fixture.ts';
import { chargeOf, openGateway, patience, refundOf } from './gateway-fixture.ts';
import { gatewayShapes } from './gateway-shapes.ts';

gatewayShapes('the simulator', async () => {
  const simulator = await startSimulatorFixture();
  return { url: simulator.url(), stop: () => simulator.remove() };
});

describe('the Stripe gateway on the simulator', () => {
  let simulator: SimulatorFixture;
  let gateway: StripeGateway;

  before(async function () {
    this.timeout(20_000);
    simulator = await startSimulatorFixture();
    gateway = openGateway(simulator.url());
  });

  after(async () => {
    await gateway.stop();
    await simulator.remove();
  });

  it('captures', async () => {
    const outcome = await gateway.charge(chargeOf('captured'), patience());

    const [entry, ...others] = await simulator.ledger('captured');
    expect(outcome).to.deep.equal({ kind: 'captured', paymentIntentId: entry?.paymentIntentId });
    expect(entry).to.include({ kind: 'capture', amountMinor: 1250n, currency: 'EUR' });
    expect(others).to.deep.equal([]);
  });

  const declines: Record<string, string> = {
    pm_card_chargeDeclined: 'generic_decline',
    pm_card_chargeDeclinedInsufficientFunds: 'insufficient_funds',
    pm_card_chargeDeclinedExpiredCard: 'expired_card',
    pm_card_chargeDeclinedProcessingError: 'processing_error',
  };
  for (const [paymentMethod, declineCode] of Object.entries(declines)) {
    it(`reads ${paymentMethod} as declined, and the same again (${declineCode})`, async () => {
      const charge = chargeOf(paymentMethod, { paymentMethod });
      const outcome = await gateway.charge(charge, patience());
      const again = await gateway.charge(charge, patience());

      expect(outcome).to.include({ kind: 'declined', declineCode });
      expect(outcome.paymentIntentId).to.match(/^pi_\w+$/);
      expect(again).to.deep.equal(outcome);
      expect(await simulator.ledger(paymentMethod)).to.deep.equal([]);
    });
  }

  it('answers a resend as the first time, and charges once', async () => {
    const first = await gateway.charge(chargeOf('resent'), patience());
    expect(await gateway.charge(chargeOf('resent'), patience())).to.deep.equal(first);
    expect(await simulator.ledger('resent')).to.have.length(1);
  });

  it('is told when a key comes back with another amount', async () => {
    await gateway.charge(chargeOf('other-amount'), patience());
    const changed = gateway.charge(chargeOf('other-amount', { amount: { minor: 1251n, currency: 'EUR' } }), patience());

    await expectRefusal('IDEMPOTENCY_KEY_REUSED', changed);
    expect(await simulator.ledger('other-amount')).to.have.length(1);
  });

  it('uses a key up, and then nothing is charged under it', async () => {
    for (let twice = 0; twice < 2; twice += 1) expect(await gateway.useUpKey(chargeOf('used-up'), patience())).to.equal('used up');
    await expectRefusal('IDEMPOTENCY_KEY_REUSED', gateway.charge(chargeOf('used-up'), patience()));
    expect(await simulator.ledger('used-up')).to.deep.equal([]);
    const [found] = await gateway.findCharges('used-up', patience());
    expect(found?.outcome, 'what is found there').to.include({ kind: 'declined', declineCode: 'closed_by_refund' });
    await expectRefusal('PAYMENT_REJECTED', gateway.refund(refundOf('refund-used-up', found?.paymentIntentId ?? ''), patience()));
  });

  for (const paymentMethod of ['pm_card_visa', 'pm_card_chargeDeclined']) {
    it(`does not use up a key by which was charged, and hears what became of that (${paymentMethod})`, async () => {
      const charge = chargeOf(`used-${paymentMethod.toLowerCase()}`, { paymentMethod });
      const outcome = await gateway.charge(charge, patience());
      expect(await gateway.useUpKey(charge, patience())).to.equal('used before');
      expect(await gateway.charge(charge, patience())).to.deep.equal(outcome);
    });
  }

  it('leaves to the charge itself what is no request', async () => {
    const nonsense = chargeOf('no-amount', { amount: { minor: 1n, currency: 'EUR' } });
    expect(await gateway.useUpKey(nonsense, patience())).to.equal('used before');
    await expectRefusal('PAYMENT_REJECTED', gateway.charge(nonsense, patience()));
  });

  it('charges once when ten ask at once, and tells those who come too early to ask again', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 10 }, () => gateway.charge(chargeOf('at-once'), patience())));

    const refused = asked.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refused.map(({ reason }) => reason)).to.deep.equal(refused.map(() => 'PAYMENT_PROVIDER_UNAVAILABLE'));
    expect(asked.length).to.be.greaterThan(refused.length);
    expect(await simulator.ledger('at-once')).to.have.length(1);
  });

  it('asks again by itself while the first request is under way', async () => {
    const patient = openGateway(simulator.url(), { maxRetries: 2 });
    const asked = await Promise.all(Array.from({ length: 5 }, () => patient.charge(chargeOf('waits'), patience())));
    await patient.stop();

    expect(new Set(asked.map(({ paymentIntentId }) => paymentIntentId)).size).to.equal(1);
    expect(await simulator.ledger('waits')).to.have.length(1);
  });

  it('gives up on a card that does not exist, and on an amount that no card pays', async () => {
    const unknown = await expectRefusal('PAYMENT_REJECTED', gateway.charge(chargeOf('no-card', { paymentMethod: 'pm_none' }), patience()));
    expect(unknown.metadata).to.include({ stripe_code: 'resource_missing', stripe_param: 'payment_method' });
    expect(unknown.metadata['stripe_request_id']).to.match(/^req_/);

    for (const minor of [0n, -1n, 100_000_000n, 10n ** 20n]) {
      const orderId = `amount-${minor}`;
      await expectRefusal('PAYMENT_REJECTED', gateway.charge(chargeOf(orderId, { amount: { minor, currency: 'EUR' } }), patience()));
      expect(await simulator.ledger(orderId)).to.deep.equal([]);
    }
  });

  it('refunds once under a key', async () => {
    const { paymentIntentId } = await gateway.charge(chargeOf('refunded'), patience());
    const first = await gateway.refund(refundOf('refund-refunded', paymentIntentId), patience());
    const again = await gateway.refund(refundOf('refund-refunded', paymentIntentId), patience());
    await expectRefusal('PAYMENT_REJECTED', gateway.refund(refundOf('refund-refunded-anew', paymentIntentId), patience()));

    expect(first).to.deep.include({ state: 'succeeded', refundId: 'refund-refunded', amount: { minor: 1250n, currency: 'EUR' }, failure: undefined });
    expect(again).to.deep.equal(first);
    const entries = await simulator.ledger('refunded');
    expect(entries.map(({ kind, objectId }) => (kind === 'refund' ? objectId : kind))).to.deep.equal(['capture', first.stripeRefundId]);
  });

  it('refunds parts, each once, and no more than was captured', async () => {
    const { paymentIntentId } = await gateway.charge(chargeOf('parts'), patience());
    const part = (key: string, minor: bigint) => gateway.refund(refundOf(key, paymentIntentId, { amount: { minor, currency: 'EUR' } }), patience());
    const first = await part('part-1', 1_000n);
    expect(await part('part-1', 1_000n)).to.deep.equal(first);
    await expectRefusal('IDEMPOTENCY_KEY_REUSED', part('part-1', 1n));
    await expectRefusal('PAYMENT_REJECTED', part('part-2', 251n));
    const second = await part('part-3', 250n);

    const found = await gateway.lookUp(paymentIntentId, patience());
    expect(found).to.deep.equal({
      paymentIntentId,
      orderId: 'parts',
      amount: { minor: 1250n, currency: 'EUR' },
      outcome: { kind: 'captured', paymentIntentId },
      refunds: [second, first],
    });
  });

  it('finds the charges of an order, and nothing where there are none', async () => {
    const captured = await gateway.charge(chargeOf('found'), patience());
    const declined = await gateway.charge(chargeOf('found', { idempotencyKey: 'found-2', paymentMethod: 'pm_card_chargeDeclined' }), patience());
    const charges = await gateway.findCharges('found', patience());
    expect(charges.map(({ outcome }) => outcome)).to.deep.equal([captured, declined]);
    expect(await gateway.findCharges('nobody', patience())).to.deep.equal([]);
    expect(await gateway.lookUp('pi_nobody', patience())).to.equal(undefined);
    const error = await expectRefusal('INVALID_ARGUMENT', gateway.findCharges("'] OR amount>0", patience()));
    expect(error.message).to.include('order_id');
  });

  const amounts: Record<string, [minor: bigint, stripe: bigint]> = { ISK: [1_250n, 125_000n], UGX: [50_000n, 5_000_000n], MGA: [5_000_00n, 5_000n], JPY: [500n, 500n], KWD: [12_340n, 12_340n], IDR: [150_000_000_00n, 150_000_000_00n] };
  for (const [currency, [minor, stripe]] of Object.entries(amounts)) {
    it(`pays and refunds ${currency} in the unit that Stripe counts in`, async () => {
      const { paymentIntentId } = await gateway.charge(chargeOf(currency, { amount: { minor, currency } }), patience());
      await gateway.refund(refundOf(`refund-${currency}`, paymentIntentId, { amount: { minor, currency } }), patience());

      const entries = await simulator.ledger(currency);
      expect(entries.map(({ amountMinor }) => amountMinor)).to.deep.equal([stripe, stripe]);
      for (const entry of entries) expect(fromStripeAmount(entry.amountMinor, entry.currency)).to.deep.equal({ minor, currency });
    });
  }

  it('gives up on parts of an ariary, and on a third decimal', async () => {
    for (const currency of ['MGA', 'KWD']) {
      await expectRefusal('PAYMENT_REJECTED', gateway.charge(chargeOf(`parts-${currency}`, { amount: { minor: 5_124n, currency } }), patience()));
    }
  });

  it('says that a refund failed', async () => {
    const { paymentIntentId } = await gateway.charge(chargeOf('bounced', { paymentMethod: 'pm_card_refundFail' }), patience());
    const refund = await gateway.refund(refundOf('bounced', paymentIntentId), patience());
    expect(refund).to.include({ state: 'failed', failure: 'expired_or_canceled_card' });
    expect((await simulator.ledger('bounced')).map(({ kind }) => kind)).to.deep.equal(['capture']);
  });

  it('says that a refund is pending', async () => {
    const { paymentIntentId } = await gateway.charge(chargeOf('pending', { paymentMethod: 'pm_card_pendingRefund' }), patience());
    const { state, stripeRefundId } = await gateway.refund(refundOf('refund-pending', paymentIntentId), patience());
    expect(state).to.equal('pending');
    expect((await simulator.ledger('pending')).map(({ kind, objectId }) => (kind === 'refund' ? objectId : kind))).to.deep.equal(['capture', stripeRefundId]);
  });

  it('is refused a refund under a key for ever, and gets it under another one', async () => {
    const { paymentIntentId } = await gateway.charge(chargeOf('for-a-while', { paymentMethod: 'pm_card_refundRefused_1' }), patience());
    for (let twice = 0; twice < 2; twice += 1) {
      const error = await expectRefusal('PAYMENT_REJECTED', gateway.refund(refundOf('for-a-while-1', paymentIntentId), patience()));
      expect(error.message).to.include('Insufficient funds');
    }
    await gateway.refund(refundOf('for-a-while-2', paymentIntentId), patience());
    expect((await simulator.ledger('for-a-while')).map(({ kind }) => kind)).to.deep.equal(['capture', 'refund']);
  });

  it('has nothing to refund for a declined card or an unknown payment', async () => {
    const { paymentIntentId } = await gateway.charge(chargeOf('unpaid', { paymentMethod: 'pm_card_chargeDeclined' }), patience());
    for (const id of [paymentIntentId, 'pi_unknown']) {
      await expectRefusal('PAYMENT_REJECTED', gateway.refund(refundOf(`refund-${id}`, id), patience()));
    }
  });

  it('finds everything again after the simulator restarted', async () => {
    const first = await gateway.charge(chargeOf('restarted'), patience());
    await simulator.restart();
    const later = openGateway(simulator.url());
    const again = await later.charge(chargeOf('restarted'), patience());
    const { stripeRefundId } = await later.refund(refundOf('refund-restarted', first.paymentIntentId), patience());
    await later.stop();
    await gateway.stop();
    gateway = openGateway(simulator.url());

    expect(again).to.deep.equal(first);
    expect((await simulator.ledger('restarted')).map(({ objectId, kind }) => (kind === 'refund' ? objectId : kind))).to.deep.equal(['capture', stripeRefundId]);
  });
});
