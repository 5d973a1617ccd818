import { expect } from 'chai';

import { field, payment, type RawAnswer, send, type SimulatorFixture, startSimulatorFixture } from './simulator-fixture.ts';

const INTENTS = '/v1/payment_intents';

describe('card-payment simulator: idempotency keys', () => {
  let simulator: SimulatorFixture;

  before(async function () {
    this.timeout(20_000);
    simulator = await startSimulatorFixture();
  });

  afterEach(() => simulator.onCommit({}));
  after(() => simulator.remove());

  function pay(key: string, orderId: string, changes: Record<string, string> = {}): Promise<RawAnswer> {
    return send(simulator.url(), 'POST', INTENTS, { key, form: payment({ 'metadata[order_id]': orderId, ...changes }) });
  }

  for (const card of ['pm_card_visa', 'pm_card_chargeDeclinedInsufficientFunds']) {
    it(`repeats the answer to the byte, and nothing else (${card})`, async () => {
      const orderId = `repeat-${card}`;
      const first = await pay(orderId, orderId, { payment_method: card });
      const second = await pay(orderId, orderId, { payment_method: card });

      expect(second.text).to.equal(first.text);
      expect(second.status).to.equal(first.status);
      expect(first.headers.get('idempotent-replayed')).to.equal(null);
      expect(second.headers.get('idempotent-replayed')).to.equal('true');
      expect(second.headers.get('original-request')).to.equal(first.headers.get('request-id'));
      expect(second.headers.get('request-id')).not.to.equal(first.headers.get('request-id'));
      expect(second.headers.get('idempotency-key')).to.equal(orderId);
      expect(await simulator.ledger(orderId)).to.have.length(card === 'pm_card_visa' ? 1 : 0);
    });
  }

  it('takes the same parameters in another order as the same request', async () => {
    const form = payment({ 'metadata[order_id]': 'shuffled' });
    const backwards = Object.fromEntries(Object.entries(form).reverse());
    const first = await send(simulator.url(), 'POST', INTENTS, { key: 'shuffled', form });
    const second = await send(simulator.url(), 'POST', INTENTS, { key: 'shuffled', form: backwards });

    expect(second.text).to.equal(first.text);
  });

  it('refuses a key that comes back with another amount', async () => {
    await pay('reused', 'reused');
    const answer = await pay('reused', 'reused', { amount: '9999' });

    expect(answer.status).to.equal(400);
    expect(field(answer, 'error.type')).to.equal('idempotency_error');
    expect(await simulator.ledger('reused')).to.have.length(1);
  });

  it('refuses a key that comes back at another address', async () => {
    const made = await pay('elsewhere', 'elsewhere');
    const form = { payment_intent: String(made.json['id']) };
    const answer = await send(simulator.url(), 'POST', '/v1/refunds', { key: 'elsewhere', form });

    expect(field(answer, 'error.type')).to.equal('idempotency_error');
    expect(await simulator.ledger('elsewhere')).to.have.length(1);
  });

  it('answers 409 while the first request is under way, and repeats its answer afterwards', async () => {
    const arrived = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    simulator.onCommit({
      beforeCommit() {
        arrived.resolve();
        return goOn.promise;
      },
    });
    const first = pay('busy', 'busy');
    await arrived.promise;
    const meanwhile = await pay('busy', 'busy');
    goOn.resolve();
    const answer = await first;

    expect(meanwhile.status).to.equal(409);
    expect(field(meanwhile, 'error.code')).to.equal('idempotency_key_in_use');
    expect((await pay('busy', 'busy')).text).to.equal(answer.text);
    expect(await simulator.ledger('busy')).to.have.length(1);
  });

  it('charges once when twenty come at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => pay('crowd', 'crowd')));

    expect(answers.filter(({ status }) => status === 200)).not.to.have.length(0);
    expect(answers.every(({ status }) => status === 200 || status === 409)).to.equal(true);
    expect(await simulator.ledger('crowd')).to.have.length(1);
  });

  it('repeats a kept answer to ten at once, without a 409', async () => {
    const first = await pay('popular', 'popular');
    const answers = await Promise.all(Array.from({ length: 10 }, () => pay('popular', 'popular')));

    expect(answers.map(({ text }) => text)).to.deep.equal(answers.map(() => first.text));
  });

  it('leaves nothing behind when the commit fails, so the same key may try again', async () => {
    simulator.onCommit({
      beforeCommit() {
        throw new Error('the disk is on fire');
      },
    });
    const failed = await pay('again', 'again');
    simulator.onCommit({});

    expect(failed.status).to.equal(500);
    expect(field(failed, 'error.type')).to.equal('api_error');
    expect(failed.text).not.to.include('on fire');
    expect(await simulator.ledger('again')).to.deep.equal([]);
    expect((await pay('again', 'again')).headers.get('idempotent-replayed')).to.equal(null);
    expect(await simulator.ledger('again')).to.have.length(1);
  });

  it('does not keep a request that was refused before it was carried out', async () => {
    const refused = await pay('corrected', 'corrected', { amount: '0' });
    expect(refused.status).to.equal(400);

    expect((await pay('corrected', 'corrected')).status).to.equal(200);
  });

  it('charges twice without a key', async () => {
    const form = payment({ 'metadata[order_id]': 'keyless' });
    await send(simulator.url(), 'POST', INTENTS, { form });
    await send(simulator.url(), 'POST', INTENTS, { form });

    expect(await simulator.ledger('keyless')).to.have.length(2);
  });

  it('refuses a key of more than 255 characters', async () => {
    const answer = await pay('k'.repeat(256), 'long-key');

    expect(answer.status).to.equal(400);
    expect(await simulator.ledger('long-key')).to.deep.equal([]);
  });
});
