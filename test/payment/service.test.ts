import { inspect } from 'node:util';

import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';

import { silentLog, systemClock, systemRandom } from '#kit';
import { PaymentState, RefundState } from '#proto/shop/payment/v1/payment_pb.js';
import { SIMULATOR_KEY } from '#stripe-simulator';

import { service } from '../../services/payment/service.ts';
import { until } from '../database/until.ts';
import { refusalOf } from '../kit/support.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { type RunningPayments, startPaymentService, WEBHOOK_SECRET } from './service-fixture.ts';
import { signatureOf } from './webhook/signed.ts';

// Settings are read before anything of this is used, and refused ones end there.
const NOTHING_OPENED = { clients: {}, log: silentLog, clock: systemClock, random: systemRandom, tracer: trace.getTracer('test'), sagaHooks: {} } as unknown as Parameters<typeof service.build>[0];

const amount = { currencyCode: 'EUR', units: 10n, nanos: 0 };

describe('the payment service, which Stripe tells of what happens', function () {
  this.timeout(30_000);
  const { log, lines } = captureLog('trace');
  const exporter = new InMemorySpanExporter();
  const tracer = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }).getTracer('test');
  const errors: unknown[] = [];
  let shop: RunningPayments;
  before(async () => void (shop = await startPaymentService({ log, tracer })));
  after(() => shop?.stop());

  const stateOf = async (orderId: string): Promise<PaymentState | undefined> => (await shop.client.getPayment({ orderId })).payment?.state;

  it('settles a charge whose answer was lost as soon as Stripe says what became of it', async () => {
    shop.simulator.misbehave({ loseAnswer: 100 });
    const charging = shop.client.charge({ orderId: 'told', amount, paymentMethod: 'pm_card_visa' }).catch((thrown: unknown) => errors.push(thrown));
    await until('it was charged', async () => (await shop.simulator.ledger('told')).length === 1);
    shop.simulator.misbehave({});
    await until('it is settled', async () => (await stateOf('told')) === PaymentState.COMPLETED);
    await charging;
    expect(await shop.eventsOf('told')).to.deep.equal(['PaymentCompleted']);
    expect(await shop.simulator.ledger('told')).to.have.length(1);
  });

  it('hears of a refund that the bank sends back after it went through', async () => {
    await shop.client.charge({ orderId: 'bounced', amount, paymentMethod: 'pm_card_refundFailLater' });
    expect((await shop.client.refund({ orderId: 'bounced' })).payment?.state).to.equal(PaymentState.REFUNDED);
    await until('it is noticed', async () => (await shop.eventsOf('bounced')).includes('PaymentRefundFailed'));
    const { payment, refunds } = await shop.client.getPayment({ orderId: 'bounced' });
    expect(payment?.refundedAmount).to.deep.include({ units: 0n, nanos: 0 });
    expect(refunds[0]).to.include({ state: RefundState.FAILED, failure: 'expired_or_canceled_card' });
    const error = await shop.client.refund({ orderId: 'bounced' }).catch((thrown: unknown) => thrown);
    errors.push(error);
    expect(error).to.include({ reason: 'REFUND_FAILED' });
  });

  it('takes the same and old news for what they are', async () => {
    await shop.client.charge({ orderId: 'old-news', amount, paymentMethod: 'pm_card_visa' });
    await shop.client.refund({ orderId: 'old-news' });
    const intent = (await shop.client.getPayment({ orderId: 'old-news' })).payment?.paymentIntentId ?? '';
    const body = JSON.stringify({ id: 'evt_old', object: 'event', type: 'payment_intent.payment_failed', data: { object: { object: 'payment_intent', id: intent } } });
    const [url] = lines.flatMap((line) => (typeof line['url'] === 'string' && line['url'].includes('/webhooks/') ? [line['url']] : []));
    for (let twice = 0; twice < 2; twice += 1) {
      const headers = { 'stripe-signature': signatureOf(body, { secret: WEBHOOK_SECRET }) };
      expect((await fetch(url ?? '', { method: 'POST', body, headers })).status).to.equal(200);
    }
    const done = { name: 'test.done', text: 'SELECT event_id FROM stripe_event WHERE due_time IS NOT NULL' };
    await until('all had their effect', async () => (await shop.database.query(done, [])).length === 0);
    expect(await stateOf('old-news')).to.equal(PaymentState.REFUNDED);
    expect(await shop.eventsOf('old-news')).to.deep.equal(['PaymentCompleted', 'PaymentRefunded']);
  });

  it('lets neither key nor secret nor card out, into logs, spans, errors or tables', async () => {
    errors.push(await shop.client.charge({ orderId: 'rejected', amount, paymentMethod: 'pm_card_nobody_has' }));
    const spans = exporter.getFinishedSpans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
    const rows = await Promise.all(
      ['payment', 'refund', 'stripe_event', 'outbox'].map((table) => shop.database.query({ name: '', text: `SELECT to_jsonb(t) FROM ${table} t` }, [])),
    );
    for (const what of [lines, spans, errors, rows]) {
      expect(what).not.to.have.length(0);
      expect(inspect(what, { depth: 12, maxArrayLength: null })).not.to.match(new RegExp(`${SIMULATOR_KEY}|hushhush|v1=|client_secret|last4|'4242'|42424242`));
    }
  });
});

describe('the payment service beside a Stripe that misbehaves', function () {
  this.timeout(60_000);
  this.slow(20_000);
  it('charges and gives back each once, whatever is lost, late, told twice or in another order', async () => {
    const settings = { MESH_PAYMENT_CHECK_AFTER: 200, MESH_PAYMENT_CHECK_EVERY: 100 };
    const shop = await startPaymentService({ instances: 2, settings });
    shop.simulator.misbehave({ loseAnswer: 30, twice: 50, outOfOrder: 30, late: { percent: 10, ms: 100 }, down: { percent: 3, ms: 200 }, seed: 6 });
    const orders = Array.from({ length: 12 }, (_, index) => `order-${index}`);
    const part = (orderId: string) => ({ orderId, refundId: `part-of-${orderId}`, amount: { ...amount, units: 4n }, reason: '' });
    const insist = async (send: () => Promise<unknown>): Promise<void> => {
      for (let tries = 0; tries < 3; tries += 1) await send().catch(() => undefined);
    };
    await Promise.all(
      orders.map(async (orderId) => {
        await insist(() => shop.client.charge({ orderId, amount, paymentMethod: 'pm_card_visa' }));
        await insist(() => shop.client.refundPart(part(orderId)));
      }),
    );
    shop.simulator.misbehave({});
    for (const orderId of orders) {
      await until(`${orderId} is as its ledger`, async () => {
        const { payment } = await shop.client.getPayment({ orderId });
        if (payment?.state === PaymentState.COMPLETED && payment.refundedAmount?.units === 0n) await shop.client.refundPart(part(orderId));
        return payment?.refundedAmount?.units === 4n;
      });
      const entries = (await shop.simulator.ledger(orderId)).map(({ kind, amountMinor }) => [kind, amountMinor]);
      expect(entries).to.deep.equal([['capture', 1_000n], ['refund', 400n]]);
      expect(await shop.eventsOf(orderId)).to.deep.equal(['PaymentCompleted', 'PaymentRefunded']);
    }
    await shop.stop();
  });
});

describe('the settings of the payment service', () => {
  const usable = { STRIPE_API_KEY: SIMULATOR_KEY, MESH_STRIPE_URL: '', STRIPE_WEBHOOK_SECRET: '', MESH_PAYMENT_CHECK_AFTER: 1_000, MESH_PAYMENT_CHECK_EVERY: 1_000 };

  for (const settings of [{ MESH_PAYMENT_CHECK_EVERY: 0 }, { MESH_PAYMENT_CHECK_AFTER: 0 }, { STRIPE_WEBHOOK_SECRET: 'sk_test_hush' }, { MESH_STRIPE_URL: 'sk_test_hush' }, { STRIPE_API_KEY: '' }]) {
    const [name = ''] = Object.keys(settings);
    it(`refuse ${JSON.stringify(settings)}, by name`, () => {
      const given = { ...NOTHING_OPENED, settings: { ...usable, ...settings } };
      const error = refusalOf(() => service.build(given));
      expect(error.reason).to.equal('INVALID_SETTING');
      expect(error.message).to.include(name).and.not.include('hush');
    });
  }
});
