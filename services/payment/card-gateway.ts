import type { Money } from '#kit';

/** Money to take from a card for one order. */
export interface CardCharge {
  /**
   * Names this charge; a resend carries the same key and the same values, and comes within a
   * day: providers forget keys after that.
   * At most 255 characters and not the key of anything else, such as the refund.
   */
  readonly idempotencyKey: string;
  /** Written beside the money at the provider, so that books can be compared. */
  readonly orderId: string;
  readonly amount: Money;
  /** The provider's name of a payment method, such as `pm_card_visa`. Never card data. */
  readonly paymentMethod: string;
}

/** The whole amount of a captured charge, to be given back. */
export interface CardRefund {
  /** As {@link CardCharge.idempotencyKey}, and another one than the charge's. */
  readonly idempotencyKey: string;
  readonly paymentIntentId: string;
}

/** What became of a charge. Both are final: a resend answers the same. */
export type ChargeOutcome =
  | { readonly kind: 'captured'; readonly paymentIntentId: string }
  /** No money moved, and none will. The id is empty where the provider made no record. */
  | { readonly kind: 'declined'; readonly paymentIntentId: string; readonly declineCode: string };

/**
 * Takes money and gives it back. Both calls may be sent again with the same key and
 * values, which is also how to ask what became of a call whose answer was lost. They
 * throw MeshError, and the reason says what is known:
 *
 * - PAYMENT_PROVIDER_UNAVAILABLE: nothing, the money may have moved or not. Ask again
 *   with the same key. Also when `signal` aborts, and when the provider refuses our
 *   credentials: an earlier attempt may have gone through.
 * - PAYMENT_REJECTED: the provider refused the request itself; no money moved under this key.
 *   A refund may be asked for again once the reason is mended.
 * - IDEMPOTENCY_KEY_REUSED: the key stands for a request with other values, and what
 *   became of that one is not said. For an operator to look at.
 */
export interface CardGateway {
  charge(charge: CardCharge, signal: AbortSignal): Promise<ChargeOutcome>;
  /**
   * What was refunded already, under whichever key, is a success; so is a refund that the bank
   * has yet to carry out. Throws REFUND_FAILED for one that the bank sent back: then somebody
   * has to give the money back by hand, which a later call finds and takes for the refund.
   */
  refund(refund: CardRefund, signal: AbortSignal): Promise<{ readonly refundId: string }>;
}
