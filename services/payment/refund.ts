import { type Money, refusal } from '#kit';

/**
 * REQUESTED -> PENDING, SUCCEEDED or FAILED; PENDING -> SUCCEEDED or FAILED; SUCCEEDED -> FAILED, for a bank may send
 * money back days later (https://docs.stripe.com/refunds#failed-refunds). The database refuses any other move.
 */
export type RefundState = 'REQUESTED' | 'PENDING' | 'SUCCEEDED' | 'FAILED';

/** Why a refund of ours FAILED that was never made, since the money had gone back otherwise. */
export const REFUNDED_ELSEWHERE = 'refunded_elsewhere';

/** Money that goes back to the card. */
export interface Refund {
  readonly refundId: string;
  readonly orderId: string;
  readonly amount: Money;
  readonly state: RefundState;
  /** In its caller's words. */
  readonly reason: string;
  /** Null until Stripe answered. */
  readonly stripeRefundId: string | null;
  /** Why it FAILED. */
  readonly failure: string | null;
  /** From 1; another one after each refusal, since Stripe repeats what it said under a key. */
  readonly attempt: number;
  /** When the attempt's key was first used. */
  readonly askTime: Date;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/**
 * The refund of all that is left of an order's payment: `whole.<order>`, and `whole.<order>.2` … for what a part left
 * over that was given up after that. The dot is in no caller's key.
 *
 * @param count from 1
 */
export const restRefundId = (orderId: string, count: number): string => (count === 1 ? `whole.${orderId}` : `whole.${orderId}.${count}`);

/** No order's id has a dot, so no other order's rest begins so. */
export const isRest = ({ refundId, orderId }: Pick<Refund, 'refundId' | 'orderId'>): boolean =>
  refundId === restRefundId(orderId, 1) || refundId.startsWith(`${restRefundId(orderId, 1)}.`);

/** Made, and sent back by the bank: somebody has to give that money back by hand. */
export const isSentBack = ({ state, stripeRefundId }: Refund): boolean => state === 'FAILED' && stripeRefundId !== null;

/** Stripe's idempotency key of one attempt. */
export const refundKey = ({ refundId, attempt }: Pick<Refund, 'refundId' | 'attempt'>): string => `refund-${refundId}-${attempt}`;

/** A repeat of RefundPart means the same refund, unless it names another order or amount. */
export function requireSameRefund(refund: Refund, orderId: string, amount: Money): Refund {
  const { amount: before } = refund;
  if (refund.orderId === orderId && before.minor === amount.minor && before.currency === amount.currency) return refund;
  throw refusal('IDEMPOTENCY_KEY_REUSED', `refund_id ${refund.refundId} stands for another order or amount; choose a new one for each refund`);
}

/** REFUND_FAILED for a refund that the bank sent back. */
export function requireGivenBack(refund: Refund): Refund {
  const { stripeRefundId, failure } = refund;
  if (!isSentBack(refund) || stripeRefundId === null || failure === null) return refund;
  const sentence = `Stripe could not give the money back (${failure}); refund it by hand and note ${stripeRefundId}`;
  throw refusal('REFUND_FAILED', sentence, { metadata: { stripe_refund_id: stripeRefundId, stripe_failure_reason: failure } });
}
