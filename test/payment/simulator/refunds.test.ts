import { expect } from 'chai';

import { until } from '../../database/until.ts';
import { field, payment, type RawAnswer, send, type SimulatorFixture, startSimulatorFixture } from './simulator-fixture.ts';

const REFUNDS = '/v1/refunds';

describe('card-payment simulator: refunds', () => {
  let simulator: SimulatorFixture;

  before(async function () {
    this.timeout(20_000);
    simulator = await startSimulatorFixture({ refundSettlesAfterMs: 100 });
  });

  after(() => simulator.remove());

  async function pay(orderId: string, changes: Record<string, string> = {}): Promise<RawAnswer> {
    return send(simulator.url(), 'POST', '/v1/payment_intents', { form: payment({ 'metadata[order_id]': orderId, ...changes }) });
  }

  function refund(intent: string, key?: string): Promise<RawAnswer> {
    return send(simulator.url(), 'POST', REFUNDS, { form: { payment_intent: intent }, ...(key !== undefined && { key }) });
  }

  it('gives the whole amount back and says so in the ledger', async () => {
    const made = await pay('whole', { amount: '777' });
    const answer = await refund(String(made.json['id']));

    expect(answer.status, answer.text).to.equal(200);
    expect(answer.json).to.include({ object: 'refund', status: 'succeeded', amount: 777, currency: 'eur' });
    expect(answer.json).to.include({ payment_intent: made.json['id'], charge: made.json['latest_charge'] });
    const entries = await simulator.ledger('whole');
    expect(entries.map(({ kind, amountMinor }) => [kind, amountMinor])).to.deep.equal([['capture', 777n], ['refund', 777n]]);
    expect(entries[1]).to.include({ objectId: answer.json['id'], orderId: 'whole' });
  });

  it('repeats the answer under the same key, and refuses another one', async () => {
    const made = await pay('twice');
    const intent = String(made.json['id']);
    const first = await refund(intent, 'refund-twice');
    const again = await refund(intent, 'refund-twice');
    const other = await refund(intent, 'refund-twice-anew');

    expect(again.text).to.equal(first.text);
    expect(other.status).to.equal(400);
    expect(field(other, 'error.code')).to.equal('charge_already_refunded');
    expect((await refund(intent, 'refund-twice-anew')).headers.get('idempotent-replayed')).to.equal('true');
    expect((await simulator.ledger('twice')).filter(({ kind }) => kind === 'refund')).to.have.length(1);
  });

  it('gives back once when ten different requests come at once', async () => {
    const made = await pay('rush');
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => refund(String(made.json['id']), `rush-${n}`)));

    expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
    expect((await simulator.ledger('rush')).filter(({ kind }) => kind === 'refund')).to.have.length(1);
  });

  it('has nothing to give back for a declined card, or for a payment that it does not know', async () => {
    const refused = await pay('declined', { payment_method: 'pm_card_chargeDeclined' });
    const declined = await refund(String(field(refused, 'error.payment_intent.id')));
    expect(declined.status).to.equal(400);

    const unknown = await refund('pi_unknown');
    expect(unknown.status).to.equal(400);
    expect(field(unknown, 'error.code')).to.equal('resource_missing');
    expect(await simulator.ledger('declined')).to.deep.equal([]);
  });

  it('calls a refund pending at first, counts it as given back, and carries it out', async () => {
    const made = await pay('pending', { payment_method: 'pm_card_pendingRefund' });
    const intent = String(made.json['id']);
    const answer = await refund(intent, 'pending');
    const path = `${REFUNDS}/${String(answer.json['id'])}`;

    expect(answer.json).to.include({ status: 'pending', amount: 1250 });
    expect((await simulator.ledger('pending')).map(({ kind }) => kind)).to.deep.equal(['capture', 'refund']);
    await until('it has succeeded', async () => (await send(simulator.url(), 'GET', path)).json['status'] === 'succeeded');
    expect((await send(simulator.url(), 'GET', path)).json).to.deep.equal({ ...answer.json, status: 'succeeded' });
    expect((await refund(intent, 'pending')).text).to.equal(answer.text);
    expect(await simulator.ledger('pending')).to.have.length(2);
  });

  for (const [card, first] of [['pm_card_refundFailLater', 'succeeded'], ['pm_card_pendingRefundFail', 'pending']] as const) {
    it(`brings the money back when a refund that was ${first} fails, and lets it be tried again (${card})`, async () => {
      const made = await pay(card, { payment_method: card });
      const intent = String(made.json['id']);
      const answer = await refund(intent, card);
      const path = `${REFUNDS}/${String(answer.json['id'])}`;

      expect(answer.json['status']).to.equal(first);
      await until('it has failed', async () => (await send(simulator.url(), 'GET', path)).json['status'] === 'failed');
      expect((await send(simulator.url(), 'GET', path)).json).to.include({ failure_reason: 'expired_or_canceled_card' });
      const entries = await simulator.ledger(card);
      expect(entries.map(({ kind, amountMinor }) => [kind, amountMinor])).to.deep.equal([['capture', 1250n], ['refund', 1250n], ['refund_failure', 1250n]]);
      expect((await refund(intent, `${card}-anew`)).status).to.equal(200);
    });
  }

  it('settles after a restart what was pending before it', async () => {
    const made = await pay('restarted', { payment_method: 'pm_card_pendingRefund' });
    const answer = await refund(String(made.json['id']));
    await simulator.restart();

    const path = `${REFUNDS}/${String(answer.json['id'])}`;
    await until('it has succeeded', async () => (await send(simulator.url(), 'GET', path)).json['status'] === 'succeeded');
  });

  it('moves no money where the bank sends it back, however often it is tried', async () => {
    const made = await pay('bounces', { payment_method: 'pm_card_refundFail' });
    const intent = String(made.json['id']);
    const first = await refund(intent, 'bounces');
    const again = await refund(intent, 'bounces');
    const other = await refund(intent, 'bounces-anew');
    const listed = await send(simulator.url(), 'GET', `${REFUNDS}?payment_intent=${intent}`);

    expect(first.status, first.text).to.equal(200);
    expect(first.json).to.include({ object: 'refund', status: 'failed', failure_reason: 'expired_or_canceled_card', amount: 1250 });
    expect(again.text).to.equal(first.text);
    expect(other.json['id']).not.to.equal(first.json['id']);
    expect(listed.json['data']).to.deep.equal([other.json, first.json]);
    expect((await simulator.ledger('bounces')).map(({ kind }) => kind)).to.deep.equal(['capture']);
  });

  it('refuses the first refunds of a card that says how many, and repeats a refusal under its key', async () => {
    const made = await pay('refused', { payment_method: 'pm_card_refundRefused_2' });
    const intent = String(made.json['id']);
    const statuses: number[] = [];
    for (const key of ['first', 'first', 'second', 'first', 'third', 'fourth']) statuses.push((await refund(intent, `refused-${key}`)).status);

    // A repeat does not count, and the last finds it refunded already.
    expect(statuses).to.deep.equal([400, 400, 400, 400, 200, 400]);
    expect((await simulator.ledger('refused')).map(({ kind }) => kind)).to.deep.equal(['capture', 'refund']);
  });

  for (const card of ['pm_card_refundRefused_0', 'pm_card_refundRefused_100', 'pm_card_refundRefused_']) {
    it(`does not know ${card}`, async () => {
      expect(field(await pay('no-such-card', { payment_method: card }), 'error.code')).to.equal('resource_missing');
    });
  }

  it('lists refunds, all or those of one payment', async () => {
    const made = await pay('listed');
    const intent = String(made.json['id']);
    const given = await refund(intent);
    const listed = await send(simulator.url(), 'GET', `${REFUNDS}?payment_intent=${intent}`);
    const none = await send(simulator.url(), 'GET', `${REFUNDS}?payment_intent=pi_unknown`);
    const all = await send(simulator.url(), 'GET', `${REFUNDS}?limit=1`);

    expect(listed.json['data']).to.deep.equal([given.json]);
    expect(none.json['data']).to.deep.equal([]);
    expect(all.json).to.include({ has_more: true, url: REFUNDS });
    expect(all.json['data']).to.deep.equal([given.json]);
  });
});
