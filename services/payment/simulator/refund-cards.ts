/** What becomes of a refund to a card. */
export type RefundOutcome =
  | { readonly kind: 'succeeded' }
  /** Asked for, not carried out yet. */
  | { readonly kind: 'pending' }
  /** The bank sent the money back, by Stripe's reasons (https://docs.stripe.com/api/refunds/object, `failure_reason`). */
  | { readonly kind: 'failed'; readonly why: string }
  /** Our balance at Stripe does not cover it: no refund is made. */
  | { readonly kind: 'refused' };

const SUCCEEDED: RefundOutcome = { kind: 'succeeded' };

/**
 * Stripe's names of test cards and what their refunds do (https://docs.stripe.com/testing#refunds), but
 * sooner: at Stripe a refund to `pm_card_refundFail` succeeds first and fails some time later, which only
 * who asks again, or is called by its webhook, hears of. Here it has failed from the start.
 */
const REFUND_CARDS: ReadonlyMap<string, RefundOutcome> = new Map<string, RefundOutcome>([
  ['pm_card_pendingRefund', { kind: 'pending' }],
  ['pm_card_refundFail', { kind: 'failed', why: 'expired_or_canceled_card' }],
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
