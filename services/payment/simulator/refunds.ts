import type { Transaction } from '#database';

import { type Answer, errorAnswer, missing, okAnswer, type StripeErrorBody } from './answer.ts';
import { type Form, required, takeOnly } from './form.ts';
import { keepAnswer, type KeyedRequest } from './idempotency.ts';
import { PAGE_PARAMETERS, readPage, toStripeList } from './paging.ts';
import { chargeIdOf, type PaymentIntent } from './payment-intent.ts';
import { lockPaymentIntent } from './payment-intent-store.ts';
import { refundOutcome } from './refund-cards.ts';
import { countRefusedRefund, listRefunds, recordRefund, type Refund } from './refund-store.ts';
import { newSuffix, now, type Simulator } from './simulator.ts';

/** `POST /v1/refunds`: the whole amount, once. */
export function createRefund(simulator: Simulator, form: Form, keyed: KeyedRequest | undefined): Promise<Answer> {
  takeOnly(form, ['payment_intent']);
  const paymentIntentId = required(form, 'payment_intent');
  const id = `re_${newSuffix(simulator)}`;
  const createdAt = now(simulator);
  return simulator.db.transaction('stripe_simulator.refund', async (tx) => {
    const intent = await lockPaymentIntent(tx, paymentIntentId);
    if (intent === undefined) return missing(400, 'payment_intent', paymentIntentId, 'payment_intent').answer;
    const error = whyNotRefundable(intent);
    const answer = error === undefined ? await carryOut(tx, intent, id, createdAt) : errorAnswer(400, error);
    await keepAnswer(tx, keyed, answer, createdAt);
    return answer;
  });
}

/** `GET /v1/refunds`, newest first, all or those of one payment intent. */
export async function getRefunds({ db }: Simulator, form: Form): Promise<Answer> {
  takeOnly(form, [...PAGE_PARAMETERS, 'payment_intent']);
  const page = readPage(form);
  const found = await listRefunds(db, form.get('payment_intent'), page);
  return okAnswer(toStripeList('/v1/refunds', found.map((refund) => toStripeRefund(refund)), page));
}

function whyNotRefundable({ id, decline, amountRefunded }: PaymentIntent): StripeErrorBody | undefined {
  if (decline !== null) {
    return { type: 'invalid_request_error', message: `The payment_intent ${id} has no successful charge to refund.` };
  }
  if (amountRefunded === 0n) return undefined;
  const message = `Charge ${chargeIdOf(id)} has already been refunded.`;
  return { type: 'invalid_request_error', code: 'charge_already_refunded', message };
}

async function carryOut(tx: Transaction, intent: PaymentIntent, id: string, createdAt: Date): Promise<Answer> {
  const outcome = refundOutcome(intent.paymentMethod, intent.refundsRefused);
  if (outcome.kind === 'refused') {
    await countRefusedRefund(tx, intent.id);
    return errorAnswer(400, { type: 'invalid_request_error', message: 'Insufficient funds in your Stripe balance to refund this amount.' });
  }
  const { amount, currency } = intent;
  const failure = outcome.kind === 'failed' ? outcome.why : null;
  const refund: Refund = { id, paymentIntentId: intent.id, amount, currency, failure, createdAt };
  await recordRefund(tx, refund);
  return okAnswer(toStripeRefund(refund, outcome.kind === 'pending'));
}

/**
 * As Stripe shows it: https://docs.stripe.com/api/refunds/object.
 *
 * @param isPending true for the first answer about a refund that takes its time; whoever lists it finds it done
 */
function toStripeRefund({ id, paymentIntentId, amount, currency, failure, createdAt }: Refund, isPending = false): object {
  return {
    id,
    object: 'refund',
    amount: Number(amount),
    charge: chargeIdOf(paymentIntentId),
    created: Math.floor(createdAt.getTime() / 1000),
    currency,
    ...(failure !== null && { failure_reason: failure }),
    metadata: {},
    payment_intent: paymentIntentId,
    reason: null,
    status: failure !== null ? 'failed' : isPending ? 'pending' : 'succeeded',
  };
}
