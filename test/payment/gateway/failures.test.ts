import { inspect } from 'node:util';

import { expect } from 'chai';

import type { Reason } from '#kit';

import type { StripeGateway } from '../../../services/payment/stripe-gateway.ts';
import { freePort } from '../../backends/free-port.ts';
import { expectRefusal } from '../../database/expect-refusal.ts';
import { until } from '../../database/until.ts';
import { captureLog } from '../../tracing/captured-log.ts';
import { chargeOf, openGateway, patience, refundOf } from './gateway-fixture.ts';
import { type ScriptedAnswer, type ScriptedStripe, startScriptedStripe } from './scripted-stripe.ts';

const API_KEY = 'sk_test_veryhushhush';

function error(status: number, fields: Record<string, unknown>): ScriptedAnswer {
  return { status, body: { error: { message: `no, ${API_KEY}`, ...fields } } };
}

const intent = (fields: Record<string, unknown>): ScriptedAnswer => ({
  status: 200,
  body: { id: 'pi_1', object: 'payment_intent', last_payment_error: null, ...fields },
});

const REFUND = refundOf('r', 'pi_1');

const FAILURES: readonly { name: string; answer: ScriptedAnswer; reason: Reason; says: string }[] = [
  { name: 'a refused key', answer: error(401, { type: 'invalid_request_error' }), reason: 'PAYMENT_PROVIDER_UNAVAILABLE', says: 'STRIPE_API_KEY' },
  { name: 'a key that may not do this', answer: error(403, { type: 'invalid_request_error' }), reason: 'PAYMENT_PROVIDER_UNAVAILABLE', says: 'STRIPE_API_KEY' },
  { name: 'a bad parameter', answer: error(400, { type: 'invalid_request_error', param: 'amount' }), reason: 'PAYMENT_REJECTED', says: 'refused the charge' },
  { name: 'a key that is in use', answer: error(409, { type: 'idempotency_error', code: 'idempotency_key_in_use' }), reason: 'PAYMENT_PROVIDER_UNAVAILABLE', says: 'ask again' },
  { name: 'a key with other values', answer: error(400, { type: 'idempotency_error' }), reason: 'IDEMPOTENCY_KEY_REUSED', says: 'other values' },
  { name: 'too many requests', answer: error(429, { type: 'invalid_request_error', code: 'rate_limit' }), reason: 'PAYMENT_PROVIDER_UNAVAILABLE', says: 'ask again' },
  { name: 'an error of Stripe', answer: error(500, { type: 'api_error' }), reason: 'PAYMENT_PROVIDER_UNAVAILABLE', says: 'ask again' },
  { name: 'what a stand-in does not cover', answer: error(501, { type: 'invalid_request_error', code: 'not_simulated' }), reason: 'PAYMENT_REJECTED', says: 'no, ***' },
  { name: 'a 501 of anybody else', answer: error(501, { type: 'invalid_request_error' }), reason: 'PAYMENT_PROVIDER_UNAVAILABLE', says: 'ask again' },
  { name: 'a page of a proxy', answer: { status: 502, body: '<html>' }, reason: 'PAYMENT_PROVIDER_UNAVAILABLE', says: 'ask again' },
  { name: 'nonsense with status 200', answer: { status: 200, body: '<html>' }, reason: 'PAYMENT_PROVIDER_UNAVAILABLE', says: 'ask again' },
];

describe('the Stripe gateway on a Stripe that fails', () => {
  let stripe: ScriptedStripe;
  let gateway: StripeGateway;
  const { log, lines } = captureLog('trace');

  before(async () => {
    stripe = await startScriptedStripe();
    gateway = openGateway(stripe.url, { apiKey: API_KEY, log });
  });

  after(async () => {
    await gateway.stop();
    await stripe.stop();
  });

  for (const { name, answer, reason, says } of FAILURES) {
    it(`takes ${name} for ${reason}`, async () => {
      stripe.answer(answer);
      const refusal = await expectRefusal(reason, gateway.charge(chargeOf('failing'), patience()));

      expect(refusal.message).to.include(says);
      expect(stripe.seen).to.have.length(1);
      expect(inspect(refusal, { depth: 10, showHidden: true }), 'the key in an error').not.to.include(API_KEY);
    });
  }

  it('reads no answer that is larger than any of Stripe', async () => {
    stripe.answer({ status: 200, body: ' '.repeat(5 * 1024 * 1024) });
    const { cause } = await expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', gateway.charge(chargeOf('flood'), patience()));
    expect(inspect(cause)).to.include('more than 4194304 bytes');
  });

  it('never logs the key', () => {
    expect(lines, 'it logs what Stripe answered').not.to.have.length(0);
    expect(JSON.stringify(lines)).not.to.include(API_KEY);
  });

  it('keeps what Stripe says of the card out of errors', async () => {
    const secrets = { payment_intent: { id: 'pi_1', client_secret: 'hush' }, payment_method: { card: { last4: '4242' } } };
    stripe.answer(error(400, { type: 'invalid_request_error', ...secrets }));
    const refusal = await expectRefusal('PAYMENT_REJECTED', gateway.charge(chargeOf('card'), patience()));

    expect(inspect(refusal, { depth: 10, showHidden: true })).not.to.match(/hush|4242/);
  });

  it('sends what Stripe asks for, under the key, and no telemetry', async () => {
    stripe.answer(intent({ status: 'succeeded' }));
    await gateway.charge(chargeOf('sent'), patience());
    await gateway.charge(chargeOf('sent'), patience());

    const { method, path, headers, body } = stripe.seen[1] ?? expect.fail('two requests');
    expect(`${method} ${path}`).to.equal('POST /v1/payment_intents');
    expect(headers).to.include({ authorization: `Bearer ${API_KEY}`, 'idempotency-key': 'charge-sent' });
    expect(headers).not.to.have.property('x-stripe-client-telemetry');
    expect(Object.fromEntries(new URLSearchParams(body))).to.deep.equal({
      amount: '1250',
      currency: 'eur',
      payment_method: 'pm_card_visa',
      confirm: 'true',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
      error_on_requires_action: 'true',
      'metadata[order_id]': 'sent',
    });
  });

  it('tries again after 409 and 500 as often as it is told', async () => {
    const busy = error(409, { type: 'idempotency_error' });
    stripe.answer(busy, error(500, { type: 'api_error' }), intent({ status: 'succeeded' }));
    const persistent = openGateway(stripe.url, { apiKey: API_KEY, maxRetries: 2 });
    const outcome = await persistent.charge(chargeOf('persistent'), patience());
    await persistent.stop();

    expect(outcome).to.deep.equal({ kind: 'captured', paymentIntentId: 'pi_1' });
    expect(new Set(stripe.seen.map(({ headers }) => headers['idempotency-key']))).to.deep.equal(new Set(['charge-persistent']));
  });

  it('sends no further attempt once the caller has given up', async () => {
    stripe.answer(error(500, { type: 'api_error' }));
    const persistent = openGateway(stripe.url, { apiKey: API_KEY, maxRetries: 2 });
    const caller = new AbortController();
    const charging = expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', persistent.charge(chargeOf('left'), caller.signal));
    await until('the first attempt has come', () => stripe.seen.length === 1);
    caller.abort();
    await charging;
    // Takes as many attempts and waits as the other one would have: by its end that one's second is overdue.
    await expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', persistent.charge(chargeOf('stayed'), patience()));
    await persistent.stop();

    const keys = stripe.seen.map(({ headers }) => headers['idempotency-key']);
    expect(keys.filter((key) => key === 'charge-left')).to.have.length(1);
  });

  it('takes a customer who would have to confirm, and an intent that fell back, for declined', async () => {
    stripe.answer(intent({ status: 'requires_action' }));
    const action = await gateway.charge(chargeOf('action'), patience());
    stripe.answer(intent({ status: 'requires_payment_method', last_payment_error: { code: 'expired_card' } }));
    const fallen = await gateway.charge(chargeOf('fallen'), patience());

    expect(action).to.deep.equal({ kind: 'declined', paymentIntentId: 'pi_1', declineCode: 'authentication_required' });
    expect(fallen).to.deep.equal({ kind: 'declined', paymentIntentId: 'pi_1', declineCode: 'expired_card' });
  });

  it('looks at a payment that was still being processed, and does not guess', async () => {
    stripe.answer(intent({ status: 'processing' }), intent({ status: 'succeeded' }));
    const settled = await gateway.charge(chargeOf('slow'), patience());
    stripe.answer(intent({ status: 'processing' }));
    await expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', gateway.charge(chargeOf('slower'), patience()));

    expect(settled.kind).to.equal('captured');
    expect(stripe.seen.map(({ method, path }) => `${method} ${path}`)).to.deep.equal(['POST /v1/payment_intents', 'GET /v1/payment_intents/pi_1']);
  });

  for (const [status, code] of [[404, 'resource_missing'], [403, 'permission'], [402, 'card_declined']] as const) {
    it(`does not take a reading that Stripe refuses with ${status} for a refusal of the charge`, async () => {
      const type = status === 402 ? 'card_error' : 'invalid_request_error';
      stripe.answer(intent({ status: 'processing' }), error(status, { type, code }));
      const refusal = await expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', gateway.charge(chargeOf('unread'), patience()));
      expect(refusal.message).to.include('pi_1');
      expect(inspect(refusal, { depth: 10, showHidden: true })).not.to.include(API_KEY);
    });
  }

  it('loads its package again after that has failed', async () => {
    let loads = 0;
    const importStripe = async () => {
      loads += 1;
      if (loads === 1) throw new Error('no room on the disk');
      return import('stripe');
    };
    const mended = openGateway(stripe.url, { importStripe });
    stripe.answer(intent({ status: 'succeeded' }));
    await mended.load();
    expect((await mended.charge(chargeOf('loaded'), patience())).kind).to.equal('captured');
    await mended.stop();
    expect(loads).to.equal(2);
  });

  const refund = (fields: Record<string, unknown>): ScriptedAnswer => ({
    status: 200,
    body: { id: 're_1', amount: 1250, currency: 'eur', metadata: { refund_id: 'r' }, ...fields },
  });

  for (const [status, state] of [['succeeded', 'succeeded'], ['pending', 'pending'], ['requires_action', 'pending'], ['failed', 'failed'], ['canceled', 'failed']] as const) {
    it(`reads a refund that is ${status} as ${state}`, async () => {
      stripe.answer(refund({ status, ...(status === 'failed' && { failure_reason: 'lost_or_stolen_card' }) }));
      const failure = { failed: 'lost_or_stolen_card', canceled: 'no reason given' }[status as string];
      const amount = { minor: 1250n, currency: 'EUR' };
      expect(await gateway.refund(REFUND, patience())).to.deep.equal({ stripeRefundId: 're_1', refundId: 'r', amount, state, failure });
    });
  }

  it('asks for a refund under the key, with what it is for', async () => {
    stripe.answer(refund({ status: 'succeeded' }));
    await gateway.refund(REFUND, patience());
    const { path, headers, body } = stripe.seen[0] ?? expect.fail('a request');
    expect(path).to.equal('/v1/refunds');
    expect(headers).to.include({ 'idempotency-key': 'r' });
    expect(Object.fromEntries(new URLSearchParams(body))).to.deep.equal({
      payment_intent: 'pi_1',
      amount: '1250',
      'metadata[order_id]': 'refunded',
      'metadata[refund_id]': 'r',
    });
  });

  it('says that nobody answers at the address', async () => {
    const nobody = openGateway(`http://127.0.0.1:${await freePort()}`, { apiKey: API_KEY });
    const refusal = await expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', nobody.charge(chargeOf('nobody'), patience()));
    await nobody.stop();

    expect(inspect(refusal.cause)).to.include('ECONNREFUSED').and.not.include(API_KEY);
  });

  it('closes its connections when it stops', async () => {
    stripe.answer(intent({ status: 'succeeded' }));
    await gateway.charge(chargeOf('open'), patience());
    expect(await stripe.connections()).to.be.greaterThan(0);
    await gateway.stop();

    await until('its connections are closed', async () => (await stripe.connections()) === 0);
  });
});
