import { isRefundCard } from './refund-cards.ts';

/** Why a card said no, by Stripe's codes (https://docs.stripe.com/declines/codes). */
export interface Decline {
  readonly code: string;
  /** Only where the error code alone does not say it. */
  readonly declineCode?: string;
  readonly message: string;
}

export type CardOutcome = { readonly kind: 'approved' } | ({ readonly kind: 'declined' } & Decline);

const APPROVED: CardOutcome = { kind: 'approved' };

function declined(declineCode: string, message = 'Your card was declined.'): CardOutcome {
  return { kind: 'declined', code: 'card_declined', declineCode, message };
}

const insufficientFunds = declined('insufficient_funds', 'Your card has insufficient funds.');

/** Stripe's names of test cards and what they do: https://docs.stripe.com/testing#declined-payments. */
const TEST_CARDS: ReadonlyMap<string, CardOutcome> = new Map<string, CardOutcome>([
  ['pm_card_visa', APPROVED],
  ['pm_card_visa_debit', APPROVED],
  ['pm_card_mastercard', APPROVED],
  ['pm_card_mastercard_debit', APPROVED],
  ['pm_card_amex', APPROVED],
  ['pm_card_discover', APPROVED],
  ['pm_card_jcb', APPROVED],
  // Stripe takes the declining cards under both names.
  ['pm_card_chargeDeclined', declined('generic_decline')],
  ['pm_card_visa_chargeDeclined', declined('generic_decline')],
  ['pm_card_chargeDeclinedInsufficientFunds', insufficientFunds],
  ['pm_card_visa_chargeDeclinedInsufficientFunds', insufficientFunds],
  ['pm_card_visa_chargeDeclinedLostCard', declined('lost_card')],
  ['pm_card_visa_chargeDeclinedStolenCard', declined('stolen_card')],
  ['pm_card_chargeDeclinedExpiredCard', { kind: 'declined', code: 'expired_card', message: 'Your card has expired.' }],
  [
    'pm_card_chargeDeclinedIncorrectCvc',
    { kind: 'declined', code: 'incorrect_cvc', message: "Your card's security code is incorrect." },
  ],
  [
    'pm_card_chargeDeclinedProcessingError',
    { kind: 'declined', code: 'processing_error', message: 'An error occurred while processing your card.' },
  ],
]);

/** Undefined for a payment method that does not exist here. */
export function findTestCard(paymentMethod: string): CardOutcome | undefined {
  return isRefundCard(paymentMethod) ? APPROVED : TEST_CARDS.get(paymentMethod);
}
