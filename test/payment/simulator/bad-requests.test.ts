import { expect } from 'chai';

import { field, payment, type RawRequest, send, type SimulatorFixture, startSimulatorFixture } from './simulator-fixture.ts';

const INTENTS = '/v1/payment_intents';

interface BadRequest {
  readonly name: string;
  readonly method?: string;
  readonly path?: string;
  readonly request: RawRequest;
  readonly status: number;
  readonly type?: string;
  readonly code?: string;
  readonly param?: string;
}

function without(name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(payment()).filter(([key]) => key !== name));
}

const BAD_REQUESTS: readonly BadRequest[] = [
  { name: 'no key', request: { apiKey: '', form: payment() }, status: 401 },
  { name: 'a live key', request: { apiKey: 'sk_live_abc', form: payment() }, status: 401 },
  { name: 'a password', request: { apiKey: '', headers: { authorization: 'Basic c2tfdGVzdF94Og==' } }, status: 401 },
  { name: 'a card it does not know', request: { form: payment({ payment_method: 'pm_card_gold' }) }, status: 400, code: 'resource_missing', param: 'payment_method' },
  { name: 'no card', request: { form: without('payment_method') }, status: 400, code: 'parameter_missing', param: 'payment_method' },
  { name: 'no amount', request: { form: without('amount') }, status: 400, code: 'parameter_missing', param: 'amount' },
  { name: 'an amount of nothing', request: { form: payment({ amount: '0' }) }, status: 400, code: 'parameter_invalid_integer', param: 'amount' },
  { name: 'a negative amount', request: { form: payment({ amount: '-5' }) }, status: 400, code: 'parameter_invalid_integer', param: 'amount' },
  { name: 'a fraction', request: { form: payment({ amount: '12.5' }) }, status: 400, code: 'parameter_invalid_integer', param: 'amount' },
  { name: 'a tiny amount', request: { form: payment({ amount: '49' }) }, status: 400, code: 'amount_too_small', param: 'amount' },
  { name: 'a huge amount', request: { form: payment({ amount: '100000000' }) }, status: 400, code: 'amount_too_large', param: 'amount' },
  { name: 'a part of a króna', request: { form: payment({ amount: '12550', currency: 'isk' }) }, status: 400, param: 'amount' },
  { name: 'a third decimal that is not 0', request: { form: payment({ amount: '5124', currency: 'kwd' }) }, status: 400, param: 'amount' },
  { name: 'more than twelve digits of rupiah', request: { form: payment({ amount: '1000000000000', currency: 'idr' }) }, status: 400, code: 'amount_too_large', param: 'amount' },
  { name: 'an absurd amount', request: { form: payment({ amount: '9'.repeat(31) }) }, status: 400, param: 'amount' },
  { name: 'a currency that does not exist', request: { form: payment({ currency: 'zzz' }) }, status: 400, param: 'currency' },
  { name: 'a null character', request: { form: payment({ 'metadata[order_id]': 'a\0b' }) }, status: 400, param: 'metadata[order_id]' },
  { name: 'a parameter twice', request: { body: 'amount=1&amount=2' }, status: 400, param: 'amount' },
  { name: 'JSON', request: { body: '{}', headers: { 'content-type': 'application/json' } }, status: 400 },
  { name: 'a parameter it does not cover', request: { form: payment({ capture_method: 'manual' }) }, status: 501 },
  { name: 'a confirmation later', request: { form: without('confirm') }, status: 501 },
  { name: 'redirects', request: { form: without('automatic_payment_methods[allow_redirects]') }, status: 501 },
  { name: 'a refund of nothing', path: '/v1/refunds', request: { form: { payment_intent: 'pi_1', amount: '0' } }, status: 400, code: 'parameter_invalid_integer', param: 'amount' },
  { name: 'a refund of less than nothing', path: '/v1/refunds', request: { form: { payment_intent: 'pi_1', amount: '-1' } }, status: 400, code: 'parameter_invalid_integer', param: 'amount' },
  { name: 'a reason of a refund', path: '/v1/refunds', request: { form: { payment_intent: 'pi_1', reason: 'duplicate' } }, status: 501 },
  { name: 'a refund it does not know', method: 'GET', path: '/v1/refunds/re_unknown', request: {}, status: 404, code: 'resource_missing', param: 'id' },
  { name: 'a search for nothing', method: 'GET', path: `${INTENTS}/search`, request: {}, status: 400, code: 'parameter_missing', param: 'query' },
  { name: 'a search by amount', method: 'GET', path: `${INTENTS}/search?query=amount%3E1000`, request: {}, status: 501 },
  { name: 'a search by two things', method: 'GET', path: `${INTENTS}/search?query=${encodeURIComponent("metadata['order_id']:'a' AND amount>1")}`, request: {}, status: 501 },
  { name: 'a call it does not cover', path: '/v1/customers', request: {}, status: 501 },
  { name: 'a method it does not cover', method: 'DELETE', path: `${INTENTS}/pi_1`, request: {}, status: 501 },
  { name: 'a page of nothing', method: 'GET', path: `${INTENTS}?limit=0`, request: {}, status: 400, code: 'parameter_invalid_integer', param: 'limit' },
  { name: 'more than 64 KB', request: { form: payment({ 'metadata[a]': 'x'.repeat(70_000) }) }, status: 413 },
  { name: 'a body of unknown length', request: { chunked: 'amount=1' }, status: 413 },
];

describe('card-payment simulator: bad requests', () => {
  let simulator: SimulatorFixture;

  before(async function () {
    this.timeout(20_000);
    simulator = await startSimulatorFixture();
  });

  after(() => simulator.remove());

  for (const { name, method = 'POST', path = INTENTS, request, status, type = 'invalid_request_error', code, param } of BAD_REQUESTS) {
    it(`answers ${status} to ${name}, in Stripe's words`, async () => {
      const answer = await send(simulator.url(), method, path, request);

      expect(answer.status, answer.text).to.equal(status);
      expect(answer.headers.get('content-type')).to.equal('application/json');
      expect(answer.headers.get('request-id')).to.match(/^req_\w+$/);
      expect(field(answer, 'error.type')).to.equal(type);
      expect(field(answer, 'error.message')).to.match(/^[A-Z].{10,}/);
      if (code !== undefined) expect(field(answer, 'error.code')).to.equal(code);
      if (param !== undefined) expect(field(answer, 'error.param')).to.equal(param);
      expect(await simulator.ledger()).to.deep.equal([]);
    });
  }
});
