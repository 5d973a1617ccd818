import type { Money } from '#kit';

/** Money to take from a card for one order. */
export interface CardCharge {
  /**
   * Names this charge; a resend carries the same key and the same values, and comes within a
   * day: providers forget keys after that.
   * At most 255 characters and not the key of anything else, such as a refund.
   */
  readonly idempotencyKey: string;
  /** Written beside the money at the provider, so that books can be compared. */
  readonly orderId: string;
  readonly amount: Money;
  /** The provider's name of a payment method, such as `pm_card_visa`. Never card data. */
  readonly paymentMethod: string;
}

/** Money of a captured charge, to be given back. */
export interface CardRefund {
  /** As {@link CardCharge.idempotencyKey}, and another one than the charge's. */
  readonly idempotencyKey: string;
  readonly paymentIntentId: string;
  readonly amount: Money;
  /** Both are written beside the money at the provider, so that a lost answer can be found again. */
  readonly orderId: string;
  readonly refundId: string;
}

/** What became of a charge. Both are final: a resend answers the same. */
export type ChargeOutcome =
  | { readonly kind: 'captured'; readonly paymentIntentId: string }
  /** No money moved, and none will. The id is empty where the provider made no record. */
  | { readonly kind: 'declined'; readonly paymentIntentId: string; readonly declineCode: string };

/** A refund as the provider has it now. */
export interface RefundAtProvider {
  readonly stripeRefundId: string;
  /** As it was asked for under; undefined for one that somebody made by hand. */
  readonly refundId: string | undefined;
  readonly amount: Money;
  /** `pending` until the bank has carried it out; `failed` when the bank sent the money back, or it was called off. */
  readonly state: 'pending' | 'succeeded' | 'failed';
  /** Why it failed; else undefined. */
  readonly failure: string | undefined;
}

/** A charge as the provider has it now. */
export interface ChargeAtProvider {
  readonly paymentIntentId: string;
  /** As it was charged under; undefined when it names no order, and is none of ours. */
  readonly orderId: string | undefined;
  readonly amount: Money;
  /** `unsettled`: the provider itself does not know yet. */
  readonly outcome: ChargeOutcome | { readonly kind: 'unsettled' };
  /** Newest first, at most 100, of a captured charge. */
  readonly refunds: readonly RefundAtProvider[];
}

/**
 * Takes money and gives it back. Charge and refund may be sent again with the same key and
 * values, which is also how to ask what became of a call whose answer was lost. All
 * throw MeshError, and the reason says what is known:
 *
 * - PAYMENT_PROVIDER_UNAVAILABLE: nothing, the money may have moved or not. Ask again
 *   with the same key. Also when `signal` aborts, and when the provider refuses our
 *   credentials: an earlier attempt may have gone through.
 * - PAYMENT_REJECTED: the provider refused the request itself; no money moved under this key.
 *   A refund may be asked for again under another key once the reason is mended.
 * - IDEMPOTENCY_KEY_REUSED: the key stands for a request with other values, and what
 *   became of that one is not said. For an operator to look at.
 */
export interface CardGateway {
  charge(charge: CardCharge, signal: AbortSignal): Promise<ChargeOutcome>;
  /**
   * Uses a charge's key up for a request that takes no money, so that a charge that has not arrived is never made under
   * it: `used up`, also when that was so before. `used before`, perhaps by the charge: `charge` tells its outcome.
   */
  useUpKey(charge: Omit<CardCharge, 'paymentMethod'>, signal: AbortSignal): Promise<'used up' | 'used before'>;
  /** The refund as it was made, which it may not stay: `failed` means that no money went back. */
  refund(refund: CardRefund, signal: AbortSignal): Promise<RefundAtProvider>;
  /** What became of a charge and its refunds; undefined when the provider knows of no such charge. */
  lookUp(paymentIntentId: string, signal: AbortSignal): Promise<ChargeAtProvider | undefined>;
  /** The charges that name an order, oldest first, at most 10. One of less than an hour ago may be missing. */
  findCharges(orderId: string, signal: AbortSignal): Promise<readonly ChargeAtProvider[]>;
}
