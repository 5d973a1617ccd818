import { expect } from 'chai';
import { Stripe } from 'stripe';

import { readWebhookTarget } from '#stripe-simulator';

import { until } from '../../database/until.ts';
import { captureLog } from '../../tracing/captured-log.ts';
import { payment, send, type SimulatorFixture, startSimulatorFixture } from './simulator-fixture.ts';
import { type Delivery, startWebhookEndpoint, type WebhookEndpoint } from './webhook-endpoint.ts';

const SECRET = 'whsec_canary';

describe('card-payment simulator: webhooks', () => {
  const { log, lines } = captureLog();
  let endpoint: WebhookEndpoint;
  let simulator: SimulatorFixture;

  before(async function () {
    this.timeout(20_000);
    endpoint = await startWebhookEndpoint();
    simulator = await startSimulatorFixture({ webhook: { url: endpoint.url, secret: SECRET }, refundSettlesAfterMs: 20, log });
  });

  afterEach(() => {
    simulator.misbehave({});
    endpoint.answer((response) => void response.writeHead(200).end());
  });

  after(async () => {
    await simulator.remove();
    await endpoint.stop();
  });

  async function pay(orderId: string, paymentMethod = 'pm_card_visa'): Promise<string> {
    const form = payment({ 'metadata[order_id]': orderId, payment_method: paymentMethod });
    return String((await send(simulator.url(), 'POST', '/v1/payment_intents', { form, key: `key-${orderId}` })).json['id']);
  }

  function refund(intent: string, amount?: string): Promise<unknown> {
    return send(simulator.url(), 'POST', '/v1/refunds', { form: { payment_intent: intent, ...(amount !== undefined && { amount }) } });
  }

  const about = (intent: string): Delivery[] =>
    endpoint.deliveries.filter(({ event: { data } }) => data.object['id'] === intent || data.object['payment_intent'] === intent);

  async function typesAbout(intent: string, count: number): Promise<string[]> {
    await until(`${count} events came`, () => about(intent).length >= count);
    return about(intent).map(({ event }) => event.type);
  }

  it('tells of a payment what a reader of it is told, signed so that the stripe package believes it', async () => {
    const intent = await pay('told');
    expect(await typesAbout(intent, 1)).to.deep.equal(['payment_intent.succeeded']);
    const [{ body, signature, event } = { body: '', signature: '', event: undefined }] = about(intent);
    const believed = new Stripe('sk_test_x').webhooks.constructEvent(body, signature, SECRET);

    expect(believed.id).to.match(/^evt_\w+$/);
    expect(believed.request?.idempotency_key).to.equal('key-told');
    expect(event?.data.object).to.deep.equal((await send(simulator.url(), 'GET', `/v1/payment_intents/${intent}`)).json);
    expect(() => new Stripe('sk_test_x').webhooks.constructEvent(`${body} `, signature, SECRET)).to.throw();
  });

  it('tells of a declined one', async () => {
    await pay('told-declined', 'pm_card_chargeDeclined');
    const found = (): Delivery | undefined => endpoint.deliveries.find(({ body }) => body.includes('told-declined'));
    await until('the event came', () => found() !== undefined);
    expect(found()?.event.type).to.equal('payment_intent.payment_failed');
  });

  it('tells of refunds how much is refunded by now', async () => {
    const intent = await pay('told-refund');
    await refund(intent, '250');
    await typesAbout(intent, 2);
    await refund(intent);
    await typesAbout(intent, 3);

    const charges = about(intent).filter(({ event }) => event.type === 'charge.refunded').map(({ event }) => event.data.object);
    expect(charges.map((charge) => [charge['amount_refunded'], charge['refunded']])).to.deep.equal([[250, false], [1250, true]]);
  });

  const settlings = { pm_card_pendingRefund: ['refund.updated'], pm_card_refundFailLater: ['refund.updated', 'refund.failed'], pm_card_pendingRefundFail: ['refund.updated', 'refund.failed'] };
  for (const [card, events] of Object.entries(settlings)) {
    it(`tells that a refund has settled (${card})`, async () => {
      const intent = await pay(card, card);
      await refund(intent);
      const expected = ['payment_intent.succeeded', 'charge.refunded', ...events];
      expect(await typesAbout(intent, expected.length)).to.have.members(expected);
    });
  }

  it('tells again, the same to the byte, until it is answered 2xx, and says once that it is not', async () => {
    const answers = [500, 302, 400];
    endpoint.answer((response) => {
      const status = answers.shift();
      if (status === undefined) response.writeHead(204).end();
      else response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
    });
    const intent = await pay('retried');
    await typesAbout(intent, 4);

    expect(new Set(about(intent).map(({ body }) => body)).size).to.equal(1);
    expect(lines.filter(({ msg }) => msg.includes('takes no events'))).to.have.length(1);
    expect(JSON.stringify(lines)).not.to.include(SECRET);
  });

  it('tells after a restart what it could not tell before', async () => {
    endpoint.answer((response) => response.destroy());
    const intent = await pay('restarted');
    await typesAbout(intent, 1);
    await simulator.restart();
    const before = about(intent).length;
    endpoint.answer((response) => void response.writeHead(200).end());

    await typesAbout(intent, before + 1);
  });

  it('tells nothing of what was not committed', async () => {
    simulator.onCommit({
      beforeCommit() {
        throw new Error('no commit');
      },
    });
    await pay('undone');
    simulator.onCommit({});
    const intent = await pay('done');
    await typesAbout(intent, 1);
    expect(endpoint.deliveries.filter(({ body }) => body.includes('undone'))).to.deep.equal([]);
  });

  it('tells twice, with one id, and out of order, where it is told to', async () => {
    simulator.misbehave({ twice: 100, outOfOrder: 100, seed: 1 });
    const intents = await Promise.all(Array.from({ length: 8 }, (_, n) => pay(`shuffled-${n}`)));
    const came = (): string[] => endpoint.deliveries.flatMap(({ event: { data } }) => (intents.includes(String(data.object['id'])) ? [String(data.object['id'])] : []));
    await until('each came twice', () => came().length === 16);

    expect(Object.values(Object.groupBy(came(), (id) => id)).map((times) => times?.length)).to.deep.equal(Array(8).fill(2));
    expect([...new Set(came())]).not.to.deep.equal([...intents].sort());
    expect(new Set(intents.flatMap(about).map(({ event }) => event.id)).size).to.equal(8);
  });

  it('calls nobody beyond this machine, and signs what it sends', () => {
    const secret = SECRET;
    for (const url of ['http://example.com/hook', 'https://127.0.0.1/hook', 'http://127.0.0.1.example.com/', 'ftp://127.0.0.1/', 'nowhere', 'http://user:pass@127.0.0.1/']) {
      expect(() => readWebhookTarget({ url, secret }), url).to.throw('this machine only');
    }
    expect(() => readWebhookTarget({ url: 'http://127.0.0.1:1/', secret: '' })).to.throw('STRIPE_WEBHOOK_SECRET');
    expect(readWebhookTarget({ url: '', secret })).to.equal(undefined);
    expect(readWebhookTarget({ url: 'http://[::1]:81/x', secret })?.url.pathname).to.equal('/x');
  });
});
