import type { Stripe } from 'stripe';

import { type Money, refusal } from '#kit';

import type { CardCharge, ChargeAtProvider, ChargeOutcome } from './card-gateway.ts';
import { CLOSED_BY_REFUND } from './domain.ts';
import { fromStripeAmount, toStripeAmount } from './stripe-amount.ts';
import { factsOf, isStripeError, unknownOutcome } from './stripe-errors.ts';
import { refundsOf } from './stripe-refund.ts';

type Settled = ChargeAtProvider['outcome'];

/** Charges a card: https://docs.stripe.com/api/payment_intents/create. */
export async function chargeCard(stripe: Stripe, charge: CardCharge): Promise<ChargeOutcome> {
  const { idempotencyKey } = charge;
  let intent: Stripe.PaymentIntent;
  try {
    intent = await stripe.paymentIntents.create(chargeParams(charge), { idempotencyKey });
  } catch (thrown) {
    if (!isStripeError(thrown) || thrown.type !== 'StripeCardError') throw thrown;
    const paymentIntentId = thrown.payment_intent?.id ?? '';
    return { kind: 'declined', paymentIntentId, declineCode: declineCodeOf(thrown) };
  }
  // A resend repeats the first answer for ever, so what has become of the money since must be read.
  const settled = outcomeOf(intent.status === 'processing' ? await readAgain(stripe, intent.id) : intent);
  if (settled.kind === 'unsettled') throw unknownOutcome('Stripe has not settled the charge yet');
  return settled;
}

/**
 * Makes a payment intent that has no card, and so takes no money, under a charge's key. Stripe compares a request with the
 * first one of its key (https://docs.stripe.com/api/idempotent_requests), so of the two only that can have an effect
 * which came first. These parameters must stay what they are: a repeat with others would pass for the charge.
 */
export async function useUpKey(stripe: Stripe, { idempotencyKey, amount, orderId }: Omit<CardCharge, 'paymentMethod'>): Promise<'used up' | 'used before'> {
  const params = { ...amountParams(amount), metadata: { order_id: orderId, called_off: 'true' } };
  try {
    const { status } = await stripe.paymentIntents.create(params, { idempotencyKey });
    return status === 'requires_payment_method' ? 'used up' : 'used before';
  } catch (thrown) {
    if (isStripeError(thrown) && wasUsedBefore(thrown)) return 'used before';
    // Refused for what the charge does not have in common with it: that says nothing of the charge.
    throw isStripeError(thrown) && thrown.type === 'StripeInvalidRequestError' ? unknownOutcome(`Stripe did not call the charge off (${factsOf(thrown)})`, thrown) : thrown;
  }
}

/** Also an amount that no charge can be made of: then asking for the charge says so. */
function wasUsedBefore({ type, param }: InstanceType<typeof Stripe.errors.StripeError>): boolean {
  return type === 'StripeIdempotencyError' || type === 'StripeCardError' || (type === 'StripeInvalidRequestError' && (param === 'amount' || param === 'currency'));
}

/** Whatever is wrong with the reading says nothing of the charge, which Stripe has taken on. */
async function readAgain(stripe: Stripe, paymentIntentId: string): Promise<Stripe.PaymentIntent> {
  try {
    return await stripe.paymentIntents.retrieve(paymentIntentId);
  } catch (thrown) {
    throw unknownOutcome(`Stripe has taken ${paymentIntentId} on, and its reading failed${isStripeError(thrown) ? ` (${factsOf(thrown)})` : ''}`);
  }
}

/** Reads a charge and its refunds: https://docs.stripe.com/api/payment_intents/retrieve. */
export async function lookUpCharge(stripe: Stripe, paymentIntentId: string): Promise<ChargeAtProvider | undefined> {
  try {
    return await toCharge(stripe, await stripe.paymentIntents.retrieve(paymentIntentId));
  } catch (thrown) {
    if (isStripeError(thrown) && thrown.code === 'resource_missing') return undefined;
    throw thrown;
  }
}

/**
 * Finds an order's charges by their metadata. What Stripe finds is usually complete after a minute, and in an outage
 * of its own after an hour (https://docs.stripe.com/search#data-freshness).
 */
export async function findChargesOf(stripe: Stripe, orderId: string): Promise<ChargeAtProvider[]> {
  const { data } = await stripe.paymentIntents.search({ query: `metadata['order_id']:'${searchable(orderId)}'`, limit: 10 });
  const charges: ChargeAtProvider[] = [];
  for (const intent of data.toReversed().sort((a, b) => a.created - b.created)) charges.push(await toCharge(stripe, intent));
  return charges;
}

async function toCharge(stripe: Stripe, intent: Stripe.PaymentIntent): Promise<ChargeAtProvider> {
  const outcome = outcomeOf(intent);
  return {
    paymentIntentId: intent.id,
    orderId: intent.metadata?.['order_id'],
    amount: fromStripeAmount(BigInt(intent.amount), intent.currency.toUpperCase()),
    outcome,
    refunds: outcome.kind === 'captured' ? await refundsOf(stripe, intent.id) : [],
  };
}

/** The contract has only such ids, and in a query anything else could mean more than itself. */
function searchable(orderId: string): string {
  if (/^[a-z0-9-]{1,64}$/.test(orderId)) return orderId;
  throw refusal('INVALID_ARGUMENT', 'an order_id has small letters, digits and dashes; look this order up in Stripe\'s dashboard');
}

/** Creates and confirms in one request. */
function chargeParams({ amount, paymentMethod, orderId }: CardCharge): Stripe.PaymentIntentCreateParams {
  return {
    ...amountParams(amount),
    payment_method: paymentMethod,
    confirm: true,
    // Nor to confirm: else the charge would wait for the customer, and could come to be after it was taken for declined.
    error_on_requires_action: true,
    metadata: { order_id: orderId },
  };
}

function amountParams(amount: Money): Pick<Stripe.PaymentIntentCreateParams, 'automatic_payment_methods'> & { amount: number; currency: string } {
  const stripeAmount = Number(toStripeAmount(amount));
  if (!Number.isSafeInteger(stripeAmount)) throw refusal('PAYMENT_REJECTED', `${stripeAmount} is more than Stripe takes in one payment`);
  return {
    amount: stripeAmount,
    currency: amount.currency.toLowerCase(),
    // Nobody is there to be sent to a bank's page.
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  };
}

/** What a status after confirming means: https://docs.stripe.com/payments/paymentintents/lifecycle. */
function outcomeOf({ id, status, last_payment_error, metadata }: Stripe.PaymentIntent): Settled {
  switch (status) {
    case 'succeeded':
      return { kind: 'captured', paymentIntentId: id };
    case 'processing':
    case 'requires_capture':
      return { kind: 'unsettled' };
    case 'requires_action':
      // The bank wants the customer to confirm, and the customer is not here; without that no money moves.
      return { kind: 'declined', paymentIntentId: id, declineCode: 'authentication_required' };
    default:
      return { kind: 'declined', paymentIntentId: id, declineCode: metadata?.['called_off'] ? CLOSED_BY_REFUND : declineCodeOf(last_payment_error ?? {}) };
  }
}

/** Some declines, such as an expired card, have an error code only (https://docs.stripe.com/declines/codes). */
function declineCodeOf({ decline_code, code }: { decline_code?: string; code?: string }): string {
  return decline_code || code || 'generic_decline';
}
