import { type Money, refusal } from '#kit';

/**
 * Digits that Stripe has more than ISO 4217, or fewer. Its amounts are in the currency's smallest unit,
 * but ISK and UGX still have the two decimals they once had, always 00
 * (https://docs.stripe.com/currencies#special-cases; UGX also stands among the zero-decimal ones there, and
 * is charged a hundredth by whoever believes that), and MGA has none (https://docs.stripe.com/currencies#zero-decimal),
 * though its fifths count as two decimals in ISO 4217. HUF and TWD are special for payouts only.
 */
const EXTRA_DIGITS: ReadonlyMap<string, number> = new Map([
  ['ISK', 2],
  ['UGX', 2],
  ['MGA', -2],
]);

/**
 * An amount in the unit Stripe counts in: 1999 for 19.99 EUR, 500 for 500 JPY and for 5 ISK. Throws
 * PAYMENT_REJECTED for a part of that unit. Stripe itself refuses the rest that `requireChargeable` (kit) refuses.
 */
export function toStripeAmount({ minor, currency }: Money): bigint {
  return shifted(minor, currency, EXTRA_DIGITS.get(currency) ?? 0);
}

/** What Stripe says of an amount, or the simulator's ledger, in minor units of ISO 4217: the inverse of {@link toStripeAmount}. */
export function fromStripeAmount(amount: bigint, currency: string): Money {
  return { minor: shifted(amount, currency, -(EXTRA_DIGITS.get(currency) ?? 0)), currency };
}

function shifted(amount: bigint, currency: string, digits: number): bigint {
  const factor = 10n ** BigInt(Math.abs(digits));
  if (digits >= 0) return amount * factor;
  if (amount % factor === 0n) return amount / factor;
  throw refusal('PAYMENT_REJECTED', `${amount} is a part of the smallest amount of ${currency} that a card pays; round it`);
}
