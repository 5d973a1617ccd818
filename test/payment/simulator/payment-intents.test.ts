import { expect } from 'chai';

import { field, payment, send, type SimulatorFixture, startSimulatorFixture } from './simulator-fixture.ts';

const INTENTS = '/v1/payment_intents';

describe('card-payment simulator: payment intents', () => {
  let simulator: SimulatorFixture;

  before(async function () {
    this.timeout(20_000);
    simulator = await startSimulatorFixture({ clock: { now: () => 1_700_000_000_999, sleep: async () => {} } });
  });

  after(() => simulator.remove());

  for (const card of ['pm_card_visa', 'pm_card_mastercard']) {
    it(`captures with ${card} and writes it into the ledger`, async () => {
      const orderId = `captured-${card}`;
      const answer = await send(simulator.url(), 'POST', INTENTS, {
        form: payment({ payment_method: card, 'metadata[order_id]': orderId }),
      });

      expect(answer.status, answer.text).to.equal(200);
      expect(answer.headers.get('request-id')).to.match(/^req_\w+$/);
      expect(answer.json).to.include({ object: 'payment_intent', status: 'succeeded', amount: 1250, amount_received: 1250 });
      expect(answer.json).to.include({ currency: 'eur', livemode: false, created: 1_700_000_000, payment_method: card });
      expect(field(answer, 'metadata.order_id')).to.equal(orderId);
      const [entry, ...others] = await simulator.ledger(orderId);
      expect(others).to.deep.equal([]);
      expect(entry).to.deep.include({ kind: 'capture', amountMinor: 1250n, currency: 'EUR', orderId });
      expect(entry).to.deep.include({ paymentIntentId: answer.json['id'], objectId: answer.json['latest_charge'] });
      expect(entry?.time.getTime()).to.equal(1_700_000_000_999);
    });
  }

  const declines = [
    { card: 'pm_card_chargeDeclined', code: 'card_declined', declineCode: 'generic_decline' },
    { card: 'pm_card_visa_chargeDeclined', code: 'card_declined', declineCode: 'generic_decline' },
    { card: 'pm_card_chargeDeclinedInsufficientFunds', code: 'card_declined', declineCode: 'insufficient_funds' },
    { card: 'pm_card_chargeDeclinedExpiredCard', code: 'expired_card', declineCode: undefined },
    { card: 'pm_card_chargeDeclinedProcessingError', code: 'processing_error', declineCode: undefined },
  ];
  for (const { card, code, declineCode } of declines) {
    it(`declines ${card} with ${declineCode ?? code}, and no money moves`, async () => {
      const orderId = `declined-${card}`;
      const answer = await send(simulator.url(), 'POST', INTENTS, {
        form: payment({ payment_method: card, 'metadata[order_id]': orderId }),
      });

      expect(answer.status, answer.text).to.equal(402);
      expect(field(answer, 'error.type')).to.equal('card_error');
      expect(field(answer, 'error.code')).to.equal(code);
      expect(field(answer, 'error.decline_code')).to.equal(declineCode);
      expect(field(answer, 'error.payment_intent.status')).to.equal('requires_payment_method');
      expect(field(answer, 'error.payment_intent.last_payment_error.code')).to.equal(code);
      expect(await simulator.ledger(orderId)).to.deep.equal([]);
    });
  }

  it('keeps a payment without an order, too', async () => {
    const { 'metadata[order_id]': _, ...form } = payment();
    const answer = await send(simulator.url(), 'POST', INTENTS, { form });

    const entries = await simulator.ledger();
    expect(entries.find(({ paymentIntentId }) => paymentIntentId === answer.json['id'])).to.include({ orderId: null });
  });

  it('shows an intent again, captured or declined', async () => {
    const made = await send(simulator.url(), 'POST', INTENTS, { form: payment() });
    const shown = await send(simulator.url(), 'GET', `${INTENTS}/${String(made.json['id'])}`);
    expect(shown.json).to.deep.equal(made.json);

    const refused = await send(simulator.url(), 'POST', INTENTS, { form: payment({ payment_method: 'pm_card_chargeDeclined' }) });
    const declined = await send(simulator.url(), 'GET', `${INTENTS}/${String(field(refused, 'error.payment_intent.id'))}`);
    expect(declined.json).to.deep.equal(field(refused, 'error.payment_intent'));
  });

  it('does not know an intent it did not make', async () => {
    const answer = await send(simulator.url(), 'GET', `${INTENTS}/pi_unknown`);

    expect(answer.status).to.equal(404);
    expect(field(answer, 'error.code')).to.equal('resource_missing');
  });

  it('lists intents newest first, page by page', async () => {
    for (const amount of ['101', '102', '103']) await send(simulator.url(), 'POST', INTENTS, { form: payment({ amount }) });

    const first = await send(simulator.url(), 'GET', `${INTENTS}?limit=2`);
    expect(first.json).to.include({ object: 'list', has_more: true, url: INTENTS });
    expect(first.json['data']).to.have.length(2);
    const all = await send(simulator.url(), 'GET', `${INTENTS}?limit=100`);
    expect(all.json['has_more']).to.equal(false);
    const ids = (field(all, 'data') as { id: string }[]).map(({ id }) => id);
    const rest = await send(simulator.url(), 'GET', `${INTENTS}?limit=100&starting_after=${ids[1]}`);
    expect((field(rest, 'data') as { id: string }[]).map(({ id }) => id)).to.deep.equal(ids.slice(2));
  });
});
