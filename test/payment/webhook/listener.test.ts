import { once } from 'node:events';
import { connect } from 'node:net';

import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { refusal, systemClock } from '#kit';

import type { StripeNotice } from '../../../services/payment/webhook/event-store.ts';
import { createWebhookListener, type WebhookListener } from '../../../services/payment/webhook/listener.ts';
import { createNoticeVerifier } from '../../../services/payment/webhook/verify-notice.ts';
import { expectRefusal } from '../../database/expect-refusal.ts';
import { until } from '../../database/until.ts';
import { captureLog } from '../../tracing/captured-log.ts';
import { eventOf, SECRET, signatureOf } from './signed.ts';

describe('the webhook', () => {
  const { log, lines } = captureLog('trace');
  const received: StripeNotice[] = [];
  let receive: (notice: StripeNotice) => Promise<void>;
  let listener: WebhookListener;
  let url: string;

  const open = (port = 0): WebhookListener =>
    createWebhookListener({
      ...{ host: '127.0.0.1', port, log, tracer: trace.getTracer('test'), stopGraceMs: 200 },
      verify: createNoticeVerifier({ secret: SECRET, clock: systemClock }),
      receive: (notice) => receive(notice),
    });

  beforeEach(async () => {
    received.length = 0;
    receive = async (notice) => void received.push(notice);
    listener = open();
    url = await listener.start();
  });
  afterEach(() => listener.stop());

  async function post(body: string, headers: Record<string, string> = { 'stripe-signature': signatureOf(body) }): Promise<[status: number, text: string]> {
    const response = await fetch(url, { method: 'POST', body, headers });
    return [response.status, await response.text()];
  }

  const event = eventOf('evt_1', 'payment_intent.succeeded', 'pi_1', { last4: '4242' });

  it('notes an event and says so', async () => {
    expect(await post(event)).to.deep.equal([200, '']);
    expect(received).to.deep.equal([{ eventId: 'evt_1', type: 'payment_intent.succeeded', paymentIntentId: 'pi_1', orderId: undefined }]);
  });

  it('takes what it has no use for, so that it does not come again', async () => {
    expect(await post(eventOf('evt_1', 'customer.created', 'pi_1'))).to.deep.equal([200, '']);
    expect(received).to.deep.equal([]);
  });

  it('refuses what is not signed, and does not say why', async () => {
    expect(await post(event, {})).to.deep.equal([400, '']);
    expect(await post(event, { 'stripe-signature': signatureOf(event, { secret: 'whsec_other' }) })).to.deep.equal([400, '']);
    expect(await post(event, { 'stripe-signature': `t=1,${'v1=0,'.repeat(2_000)}` })).to.deep.equal([400, '']);
    expect(received).to.deep.equal([]);
  });

  it('is found at one path, by one method', async () => {
    expect((await fetch(url)).status).to.equal(405);
    expect((await fetch(new URL('/', url), { method: 'POST', body: event })).status).to.equal(404);
  });

  it('reads no more than an event of Stripe has, said or unsaid', async () => {
    const long = 'x'.repeat(256 * 1024 + 1);
    expect((await post(long))[0]).to.equal(413);
    const stream = new Blob([long]).stream();
    // Node's fetch wants `duplex` with a stream, which the DOM's types do not have.
    const options = { method: 'POST', body: stream, duplex: 'half', headers: { 'stripe-signature': 't=1,v1=0' } } as RequestInit;
    const status = await fetch(url, options).then((response) => response.status, () => 'cut');
    expect(status).to.be.oneOf([413, 'cut']);
    expect((await post(event))[0], 'it goes on').to.equal(200);
  });

  it('has an event sent again that it could not note', async () => {
    receive = () => Promise.reject(refusal('DATABASE_UNAVAILABLE', 'away'));
    expect(await post(event)).to.deep.equal([503, '']);
    receive = () => Promise.reject(new Error('a fault'));
    expect(await post(event)).to.deep.equal([500, '']);
    receive = async (notice) => void received.push(notice);
    expect((await post(event))[0]).to.equal(200);
  });

  it('finishes what it has begun when it stops, and takes nothing new', async () => {
    const arrived = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    receive = async () => {
      arrived.resolve();
      await goOn.promise;
    };
    const posting = post(event);
    await arrived.promise;
    const stopping = listener.stop();
    await until('nobody listens', () => fetch(url).then(() => false, () => true));
    goOn.resolve();
    expect(await posting).to.deep.equal([200, '']);
    await stopping;
  });

  it('is not held up by whoever sends nothing', async () => {
    const { hostname, port } = new URL(url);
    const silent = connect(Number(port), hostname);
    await once(silent, 'connect');
    silent.write('POST /webhooks/stripe HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\nstripe-signature: t=1,v1=0\r\n\r\nhalf');
    const cut = once(silent, 'close');
    silent.resume();
    await listener.stop();
    await cut;
  });

  it('says which setting moves it from a port that is taken', async () => {
    const second = open(Number(new URL(url).port));
    const error = await expectRefusal('PORT_IN_USE', second.start());
    expect(error.message).to.include('MESH_PAYMENT_WEBHOOK_PORT');
    await second.stop();
  });

  it('logs neither bodies nor secrets', () => {
    expect(lines, 'the fault of above').not.to.have.length(0);
    expect(JSON.stringify(lines)).not.to.match(/4242|whsec|v1=/);
  });
});
