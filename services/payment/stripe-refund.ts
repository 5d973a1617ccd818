import type { Stripe } from 'stripe';

import type { CardRefund, RefundAtProvider } from './card-gateway.ts';
import { fromStripeAmount, toStripeAmount } from './stripe-amount.ts';

/** As many as Stripe lists at once, and more than an order will have. */
const MAX_REFUNDS = 100;

/** Gives money back: https://docs.stripe.com/api/refunds/create. */
export async function refundCard(stripe: Stripe, refund: CardRefund): Promise<RefundAtProvider> {
  const { idempotencyKey, paymentIntentId, amount, orderId, refundId } = refund;
  const metadata = { order_id: orderId, refund_id: refundId };
  const params = { payment_intent: paymentIntentId, amount: Number(toStripeAmount(amount)), metadata };
  return toRefund(await stripe.refunds.create(params, { idempotencyKey }));
}

/** The refunds of a charge, under whichever key and by whose hand they were made; newest first. */
export async function refundsOf(stripe: Stripe, paymentIntentId: string): Promise<RefundAtProvider[]> {
  const { data } = await stripe.refunds.list({ payment_intent: paymentIntentId, limit: MAX_REFUNDS });
  return data.map(toRefund);
}

function toRefund(refund: Stripe.Refund): RefundAtProvider {
  const state = stateOf(refund.status);
  return {
    stripeRefundId: refund.id,
    refundId: refund.metadata?.['refund_id'],
    amount: fromStripeAmount(BigInt(refund.amount), refund.currency.toUpperCase()),
    state,
    failure: state === 'failed' ? (refund.failure_reason ?? 'no reason given') : undefined,
  };
}

/** https://docs.stripe.com/api/refunds/object, `status`. `requires_action`: the customer is asked for an account; the money has left us. */
function stateOf(status: string | null): RefundAtProvider['state'] {
  if (status === 'failed' || status === 'canceled') return 'failed';
  return status === 'succeeded' ? 'succeeded' : 'pending';
}
