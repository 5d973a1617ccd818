import { type Answer, errorAnswer, missing, okAnswer, type StripeErrorBody } from './answer.ts';
import { type Form, required, takeOnly } from './form.ts';
import { keepAnswer, type KeyedRequest } from './idempotency.ts';
import { type LedgerEntry, listRefunds, recordRefund } from './ledger.ts';
import { PAGE_PARAMETERS, readPage, toStripeList } from './paging.ts';
import { chargeIdOf, type PaymentIntent } from './payment-intent.ts';
import { lockPaymentIntent } from './payment-intent-store.ts';
import { newSuffix, now, type Simulator } from './simulator.ts';

/** `POST /v1/refunds`: the whole amount, once. */
export function createRefund(simulator: Simulator, form: Form, keyed: KeyedRequest | undefined): Promise<Answer> {
  takeOnly(form, ['payment_intent']);
  const paymentIntentId = required(form, 'payment_intent');
  const objectId = `re_${newSuffix(simulator)}`;
  const time = now(simulator);
  return simulator.db.transaction('stripe_simulator.refund', async (tx) => {
    const intent = await lockPaymentIntent(tx, paymentIntentId);
    if (intent === undefined) return missing(400, 'payment_intent', paymentIntentId, 'payment_intent').answer;
    const error = whyNotRefundable(intent);
    const refund = { objectId, paymentIntentId, amountMinor: intent.amount, currency: intent.currency, time };
    if (error === undefined) await recordRefund(tx, refund);
    const answer = error === undefined ? okAnswer(toStripeRefund(refund)) : errorAnswer(400, error);
    await keepAnswer(tx, keyed, answer, time);
    return answer;
  });
}

/** `GET /v1/refunds`, newest first, all or those of one payment intent. */
export async function getRefunds({ db }: Simulator, form: Form): Promise<Answer> {
  takeOnly(form, [...PAGE_PARAMETERS, 'payment_intent']);
  const page = readPage(form);
  const found = await listRefunds(db, form.get('payment_intent'), page);
  return okAnswer(toStripeList('/v1/refunds', found.map(toStripeRefund), page));
}

function whyNotRefundable({ id, decline, amountRefunded }: PaymentIntent): StripeErrorBody | undefined {
  if (decline !== null) {
    return { type: 'invalid_request_error', message: `The payment_intent ${id} has no successful charge to refund.` };
  }
  if (amountRefunded === 0n) return undefined;
  const message = `Charge ${chargeIdOf(id)} has already been refunded.`;
  return { type: 'invalid_request_error', code: 'charge_already_refunded', message };
}

type Refund = Pick<LedgerEntry, 'objectId' | 'paymentIntentId' | 'amountMinor' | 'currency' | 'time'>;

/** As Stripe shows it: https://docs.stripe.com/api/refunds/object. */
function toStripeRefund({ objectId, paymentIntentId, amountMinor, currency, time }: Refund): object {
  return {
    id: objectId,
    object: 'refund',
    amount: Number(amountMinor),
    charge: chargeIdOf(paymentIntentId),
    created: Math.floor(time.getTime() / 1000),
    currency: currency.toLowerCase(),
    metadata: {},
    payment_intent: paymentIntentId,
    reason: null,
    status: 'succeeded',
  };
}
