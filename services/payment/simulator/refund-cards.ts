/** What becomes of a refund to a card. */
export type RefundOutcome =
  | { readonly kind: 'given'; readonly status: 'succeeded' | 'pending'; readonly settlesAs?: 'succeeded' | 'failed' }
  /** The bank sent the money back at once. */
  | { readonly kind: 'failed' }
  /** Our balance at Stripe does not cover it: no refund is made. */
  | { readonly kind: 'refused' };

/** Why the banks of these cards send money back (https://docs.stripe.com/api/refunds/object, `failure_reason`). */
export const FAILURE_REASON = 'expired_or_canceled_card';

const SUCCEEDED: RefundOutcome = { kind: 'given', status: 'succeeded' };

/**
 * Test cards and what their refunds do (https://docs.stripe.com/testing#refunds). Stripe's `pm_card_refundFail` is
 * `pm_card_refundFailLater` here: it succeeds first and fails some time later, which only who asks again, or is called by
 * the webhook, hears of. Under its own name it has failed from the start, so that a demonstration need not wait.
 */
const REFUND_CARDS: ReadonlyMap<string, RefundOutcome> = new Map<string, RefundOutcome>([
  ['pm_card_pendingRefund', { kind: 'given', status: 'pending', settlesAs: 'succeeded' }],
  ['pm_card_pendingRefundFail', { kind: 'given', status: 'pending', settlesAs: 'failed' }],
  ['pm_card_refundFail', { kind: 'failed' }],
  ['pm_card_refundFailLater', { kind: 'given', status: 'succeeded', settlesAs: 'failed' }],
]);

/** Not a card of Stripe's: the first 1 to 99 refunds are refused. */
const REFUSING_CARD = /^pm_card_refundRefused_([1-9]\d?)$/;

/** True for the cards whose charges go through and whose refunds are special. */
export function isRefundCard(paymentMethod: string): boolean {
  return REFUND_CARDS.has(paymentMethod) || REFUSING_CARD.test(paymentMethod);
}

/** @param refused how often a refund of the same payment was refused already */
export function refundOutcome(paymentMethod: string, refused: number): RefundOutcome {
  if (refused < Number(REFUSING_CARD.exec(paymentMethod)?.[1] ?? 0)) return { kind: 'refused' };
  return REFUND_CARDS.get(paymentMethod) ?? SUCCEEDED;
}
