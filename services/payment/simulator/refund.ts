import { chargeIdOf } from './payment-intent.ts';

/** Money given back, whole or a part of a payment, or sent back by the bank. */
export interface Refund {
  /** `re_…`; sorts by time of creation. */
  readonly id: string;
  readonly paymentIntentId: string;
  /** In the unit Stripe counts in. */
  readonly amount: bigint;
  /** ISO 4217 in small letters. */
  readonly currency: string;
  /** One that is pending counts as given back. */
  readonly status: 'pending' | 'succeeded' | 'failed';
  /** Why the bank sent it back; null when it did not. */
  readonly failureReason: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAt: Date;
}

/** The transaction by which the money of a failed refund came back goes by the refund's suffix (`txn_…`). */
export function failureIdOf(refundId: string): string {
  return refundId.replace('re_', 'txn_');
}

/** As Stripe shows it: https://docs.stripe.com/api/refunds/object. */
export function toStripeRefund({ id, paymentIntentId, amount, currency, status, failureReason, metadata, createdAt }: Refund): object {
  return {
    id,
    object: 'refund',
    amount: Number(amount),
    charge: chargeIdOf(paymentIntentId),
    created: Math.floor(createdAt.getTime() / 1000),
    currency,
    ...(failureReason !== null && { failure_reason: failureReason }),
    metadata,
    payment_intent: paymentIntentId,
    reason: null,
    status,
  };
}
