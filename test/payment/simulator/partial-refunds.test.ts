import { expect } from 'chai';

import { field, payment, type RawAnswer, send, type SimulatorFixture, startSimulatorFixture } from './simulator-fixture.ts';

const REFUNDS = '/v1/refunds';

describe('card-payment simulator: refunds of a part', () => {
  let simulator: SimulatorFixture;

  before(async function () {
    this.timeout(20_000);
    simulator = await startSimulatorFixture();
  });

  after(() => simulator.remove());

  async function pay(orderId: string, changes: Record<string, string> = {}): Promise<string> {
    const form = payment({ 'metadata[order_id]': orderId, amount: '1000', ...changes });
    return String((await send(simulator.url(), 'POST', '/v1/payment_intents', { form })).json['id']);
  }

  function refund(intent: string, changes: Record<string, string>, key?: string): Promise<RawAnswer> {
    return send(simulator.url(), 'POST', REFUNDS, { form: { payment_intent: intent, ...changes }, ...(key !== undefined && { key }) });
  }

  async function refundedOf(orderId: string): Promise<bigint[]> {
    return (await simulator.ledger(orderId)).flatMap(({ kind, amountMinor }) => (kind === 'refund' ? [amountMinor] : []));
  }

  it('go up to what was captured; without an amount the rest is given back', async () => {
    const intent = await pay('parts');
    const first = await refund(intent, { amount: '300', 'metadata[refund_id]': 'r-1' });
    const rest = await refund(intent, {});

    expect(first.json).to.deep.include({ amount: 300, status: 'succeeded', metadata: { refund_id: 'r-1' } });
    expect(rest.json).to.include({ amount: 700 });
    expect(await refundedOf('parts')).to.deep.equal([300n, 700n]);
    const shown = await send(simulator.url(), 'GET', `${REFUNDS}/${String(first.json['id'])}`);
    expect(shown.json).to.deep.equal(first.json);
  });

  it('are refused beyond that, in the words of Stripe', async () => {
    const intent = await pay('beyond');
    expect((await refund(intent, { amount: '999' })).status).to.equal(200);
    const tooMuch = await refund(intent, { amount: '2' });
    expect((await refund(intent, { amount: '1' })).status).to.equal(200);
    const nothingLeft = await refund(intent, { amount: '1' });

    expect([tooMuch.status, field(tooMuch, 'error.param')]).to.deep.equal([400, 'amount']);
    expect(field(tooMuch, 'error.message')).to.include('greater than unrefunded amount');
    expect(field(nothingLeft, 'error.code')).to.equal('charge_already_refunded');
    expect(await refundedOf('beyond')).to.deep.equal([999n, 1n]);
  });

  it('are carried out once under their key, and never sum up to more when many come at once', async () => {
    const intent = await pay('rush');
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => refund(intent, { amount: '300' }, `rush-${n}`)));
    const again = await refund(intent, { amount: '300' }, 'rush-0');

    expect(answers.filter(({ status }) => status === 200)).to.have.length(3);
    expect(again.text).to.equal(answers[0]?.text);
    expect(await refundedOf('rush')).to.deep.equal([300n, 300n, 300n]);
  });

  it('have no parts of a króna', async () => {
    const intent = await pay('kronur', { currency: 'isk', amount: '100000' });
    expect(field(await refund(intent, { amount: '150' }), 'error.param')).to.equal('amount');
    expect((await refund(intent, { amount: '200' })).status).to.equal(200);
  });
});
