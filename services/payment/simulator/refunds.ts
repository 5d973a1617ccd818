import type { Transaction } from '#database';

import { type Answer, invalid, missing, okAnswer } from './answer.ts';
import { refusalOfStep } from './charge-request.ts';
import { toStripeCharge } from './charge.ts';
import { below, type Form, integerIn, required, takeOnly } from './form.ts';
import { keepAnswer, type KeyedRequest } from './idempotency.ts';
import { PAGE_PARAMETERS, readPage, toStripeList } from './paging.ts';
import { chargeIdOf, type PaymentIntent } from './payment-intent.ts';
import { lockPaymentIntent } from './payment-intent-store.ts';
import { FAILURE_REASON, refundOutcome } from './refund-cards.ts';
import { countRefusedRefund, findRefund, listRefunds, recordRefund } from './refund-store.ts';
import { type Refund, toStripeRefund } from './refund.ts';
import { newSuffix, now, type Simulator } from './simulator.ts';
import { announce } from './webhooks.ts';

/** What is asked for; without an amount it is what is left of the payment. */
interface RefundRequest {
  readonly paymentIntentId: string;
  readonly amount: bigint | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

const MAX_AMOUNT = 999_999_999_999;

/** `POST /v1/refunds`: the whole payment or a part of it, and never more than was captured. */
export async function createRefund(simulator: Simulator, form: Form, keyed: KeyedRequest | undefined): Promise<Answer> {
  const request = readRefundRequest(form);
  const { paymentIntentId } = request;
  const answer = await simulator.db.transaction('stripe_simulator.refund', async (tx) => {
    const intent = await lockPaymentIntent(tx, paymentIntentId);
    if (intent === undefined) return missing(400, 'payment_intent', paymentIntentId, 'payment_intent').answer;
    const made = whyNotRefundable(intent, request) ?? (await carryOut(simulator, tx, intent, request, keyed));
    await keepAnswer(tx, keyed, made, now(simulator));
    return made;
  });
  simulator.background.wakeDelivery();
  simulator.background.wakeSettling();
  return answer;
}

/** `GET /v1/refunds/:id` */
export async function getRefund({ db }: Simulator, id: string, form: Form): Promise<Answer> {
  takeOnly(form, []);
  const refund = await findRefund(db, id);
  if (refund === undefined) throw missing(404, 'refund', id, 'id');
  return okAnswer(toStripeRefund(refund));
}

/** `GET /v1/refunds`, newest first, all or those of one payment intent. */
export async function getRefunds({ db }: Simulator, form: Form): Promise<Answer> {
  takeOnly(form, [...PAGE_PARAMETERS, 'payment_intent']);
  const page = readPage(form);
  const found = await listRefunds(db, form.get('payment_intent'), page);
  return okAnswer(toStripeList('/v1/refunds', found.map(toStripeRefund), page));
}

function readRefundRequest(form: Form): RefundRequest {
  takeOnly(form, ['payment_intent', 'amount', 'metadata[]']);
  const paymentIntentId = required(form, 'payment_intent');
  const amount = form.has('amount') ? BigInt(integerIn(form, 'amount', { min: 1, max: MAX_AMOUNT, fallback: 1 })) : undefined;
  return { paymentIntentId, amount, metadata: below(form, 'metadata') };
}

function whyNotRefundable({ id, amount, amountRefunded, currency, confirmed, decline }: PaymentIntent, wanted: RefundRequest): Answer | undefined {
  if (decline !== null || !confirmed) return invalid(`The payment_intent ${id} has no successful charge to refund.`).answer;
  const left = amount - amountRefunded;
  if (left === 0n) return invalid(`Charge ${chargeIdOf(id)} has already been refunded.`, { code: 'charge_already_refunded' }).answer;
  if (wanted.amount === undefined) return undefined;
  if (wanted.amount > left) {
    return invalid(`Refund amount (${wanted.amount}) is greater than unrefunded amount on charge (${left}), in the smallest unit of ${currency}.`, { param: 'amount' }).answer;
  }
  return refusalOfStep(wanted.amount, currency)?.answer;
}

async function carryOut(simulator: Simulator, tx: Transaction, intent: PaymentIntent, request: RefundRequest, keyed: KeyedRequest | undefined): Promise<Answer> {
  const outcome = refundOutcome(intent.paymentMethod, intent.refundsRefused);
  if (outcome.kind === 'refused') {
    await countRefusedRefund(tx, intent.id);
    return invalid('Insufficient funds in your Stripe balance to refund this amount.').answer;
  }
  const { id: paymentIntentId, currency } = intent;
  const amount = request.amount ?? intent.amount - intent.amountRefunded;
  const createdAt = now(simulator);
  const common = { id: `re_${newSuffix(simulator)}`, paymentIntentId, amount, currency, metadata: request.metadata, createdAt };
  if (outcome.kind === 'failed') {
    const refund: Refund = { ...common, status: 'failed', failureReason: FAILURE_REASON };
    await recordRefund(tx, refund, undefined);
    await announce(simulator, tx, keyed, [{ type: 'refund.failed', object: toStripeRefund(refund) }]);
    return okAnswer(toStripeRefund(refund));
  }
  const refund: Refund = { ...common, status: outcome.status, failureReason: null };
  const at = new Date(createdAt.getTime() + simulator.refundSettlesAfterMs);
  await recordRefund(tx, refund, outcome.settlesAs && { at, as: outcome.settlesAs });
  const charge = toStripeCharge({ ...intent, amountRefunded: intent.amountRefunded + amount });
  await announce(simulator, tx, keyed, [{ type: 'charge.refunded', object: charge }]);
  return okAnswer(toStripeRefund(refund));
}
