import { type Answer, notCovered, okAnswer } from './answer.ts';
import { type Form, integerIn, required, takeOnly } from './form.ts';
import { toStripePaymentIntent } from './payment-intent.ts';
import { findPaymentIntentsOfOrder } from './payment-intent-store.ts';
import type { Simulator } from './simulator.ts';

const BY_ORDER = /^metadata\[(["'])order_id\1\]:(["'])((?:\\.|(?!\2)[^\\])*)\2$/;

/**
 * `GET /v1/payment_intents/search` by the metadata order_id, newest first, one page of up to 100
 * (https://docs.stripe.com/search#search-query-language). Here a payment is found at once; Stripe takes up to a minute.
 */
export async function searchPaymentIntents({ db }: Simulator, form: Form): Promise<Answer> {
  takeOnly(form, ['query', 'limit']);
  const limit = integerIn(form, 'limit', { min: 1, max: 100, fallback: 10 });
  const quoted = BY_ORDER.exec(required(form, 'query').trim())?.[3];
  if (quoted === undefined) throw notCovered("any search but metadata['order_id']:'…'");
  const found = await findPaymentIntentsOfOrder(db, quoted.replace(/\\(.)/g, '$1'), limit + 1);
  const data = found.slice(0, limit).map(toStripePaymentIntent);
  return okAnswer({ object: 'search_result', data, has_more: found.length > limit, next_page: null, url: '/v1/payment_intents/search' });
}
