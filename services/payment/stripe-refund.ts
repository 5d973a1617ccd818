import type { Stripe } from 'stripe';

import { refusal } from '#kit';

import type { CardRefund } from './card-gateway.ts';
import { isStripeError } from './stripe-errors.ts';

interface Refunded {
  readonly refundId: string;
}

/**
 * Gives a payment's money back: https://docs.stripe.com/api/refunds/create. Stripe never gives back more
 * than it took, so asking under another key cannot refund twice.
 */
export async function refundCard(stripe: Stripe, { idempotencyKey, paymentIntentId }: CardRefund): Promise<Refunded> {
  const refunds = refundsOf(stripe, paymentIntentId);
  try {
    return await refunds.create({ idempotencyKey });
  } catch (thrown) {
    // Stripe repeats the first answer to a key for a day or longer; what stood in the way may be gone by now.
    if (!isStripeError(thrown) || thrown.headers?.['idempotent-replayed'] !== 'true') throw thrown;
    return refunds.create({});
  }
}

function refundsOf(stripe: Stripe, paymentIntentId: string) {
  /** A refund that was carried out or will be, under whichever key, also by hand in Stripe's dashboard. */
  async function findStanding(): Promise<Refunded | undefined> {
    const { data } = await stripe.refunds.list({ payment_intent: paymentIntentId, limit: 100 });
    const standing = data.find((refund) => !hasFailed(refund));
    return standing && { refundId: standing.id };
  }

  async function create(options: { readonly idempotencyKey?: string }): Promise<Refunded> {
    try {
      const refund = await stripe.refunds.create({ payment_intent: paymentIntentId }, options);
      if (!hasFailed(refund)) return { refundId: refund.id };
      return (await findStanding()) ?? refuseFailed(refund);
    } catch (thrown) {
      const standing = isStripeError(thrown) && thrown.code === 'charge_already_refunded' ? await findStanding() : undefined;
      if (standing === undefined) throw thrown;
      return standing;
    }
  }

  return { create };
}

function refuseFailed({ id, failure_reason: why = 'no reason given' }: Stripe.Refund): never {
  const sentence = `Stripe could not give the money back (${why}); refund it by hand and note ${id}`;
  throw refusal('REFUND_FAILED', sentence, { metadata: { stripe_refund_id: id, stripe_failure_reason: why } });
}

/** The bank sent the money back to us: https://docs.stripe.com/refunds#failed-refunds. */
function hasFailed({ status }: Stripe.Refund): boolean {
  return status === 'failed' || status === 'canceled';
}
