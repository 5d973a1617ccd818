import { type ApiRefusal, invalid, missing, notCovered } from './answer.ts';
import { below, type Form, required, takeOnly } from './form.ts';
import { type CardOutcome, findTestCard } from './test-cards.ts';

/** A payment that is created and confirmed in one request, or created only and without a card. */
export interface ChargeRequest {
  /** In the unit Stripe counts in. */
  readonly amount: bigint;
  /** ISO 4217 in small letters. */
  readonly currency: string;
  /** '' where it is not confirmed. */
  readonly paymentMethod: string;
  /** Undefined where it is not confirmed. */
  readonly outcome: CardOutcome | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

const PARAMETERS = [
  'amount',
  'currency',
  'payment_method',
  'confirm',
  // No card here asks its holder to confirm.
  'error_on_requires_action',
  'automatic_payment_methods[enabled]',
  'automatic_payment_methods[allow_redirects]',
  'metadata[]',
];

/** Eight digits (https://docs.stripe.com/api/payment_intents/create); for IDR twelve: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts. */
const MAX_AMOUNT = 99_999_999n;
const MAX_AMOUNT_IDR = 999_999_999_999n;

/** What an amount must be a multiple of, apart from 1: https://docs.stripe.com/currencies#special-cases. Not taken from payment's own table: this is what that one is tested by. */
const STEPS: ReadonlyMap<string, bigint> = new Map([
  ['isk', 100n],
  ['ugx', 100n],
  ...['bhd', 'jod', 'kwd', 'omr', 'tnd'].map((code) => [code, 10n] as const),
]);

/** The least Stripe takes, for the currencies most shops use; same page. Others: 1. */
const MIN_AMOUNTS: ReadonlyMap<string, bigint> = new Map([
  ['usd', 50n],
  ['eur', 50n],
  ['gbp', 30n],
  ['chf', 50n],
  ['jpy', 50n],
]);

const CURRENCIES = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()));

/** Reads the parameters of `POST /v1/payment_intents` (https://docs.stripe.com/api/payment_intents/create). */
export function readChargeRequest(form: Form): ChargeRequest {
  takeOnly(form, PARAMETERS);
  const currency = readCurrency(form);
  const amount = readAmount(form, currency);
  const confirmed = form.get('confirm') === 'true';
  if (!confirmed && form.has('payment_method')) throw notCovered('payments that are confirmed later: send confirm=true');
  const automatic = below(form, 'automatic_payment_methods');
  if (automatic['enabled'] !== 'true' || automatic['allow_redirects'] !== 'never') {
    throw notCovered('redirects: send automatic_payment_methods[enabled]=true and [allow_redirects]=never');
  }
  const metadata = below(form, 'metadata');
  if (!confirmed) return { amount, currency, paymentMethod: '', outcome: undefined, metadata };
  const paymentMethod = required(form, 'payment_method');
  const outcome = findTestCard(paymentMethod);
  if (outcome === undefined) throw missing(400, 'PaymentMethod', paymentMethod, 'payment_method');
  return { amount, currency, paymentMethod, outcome, metadata };
}

function readCurrency(form: Form): string {
  const currency = required(form, 'currency').toLowerCase();
  if (CURRENCIES.has(currency)) return currency;
  throw invalid(`Invalid currency: ${currency}; it must be a code of ISO 4217.`, { param: 'currency' });
}

function readAmount(form: Form, currency: string): bigint {
  const text = required(form, 'amount');
  if (!/^-?\d{1,30}$/.test(text)) {
    throw invalid(`Invalid integer: ${text}`, { code: 'parameter_invalid_integer', param: 'amount' });
  }
  const amount = BigInt(text);
  if (amount < 1n) {
    throw invalid('This value must be greater than or equal to 1.', { code: 'parameter_invalid_integer', param: 'amount' });
  }
  const least = MIN_AMOUNTS.get(currency) ?? 1n;
  if (amount < least) {
    throw invalid(`Amount must be at least ${least} in the smallest unit of ${currency}.`, { code: 'amount_too_small', param: 'amount' });
  }
  const most = currency === 'idr' ? MAX_AMOUNT_IDR : MAX_AMOUNT;
  if (amount > most) {
    throw invalid(`Amount must be no more than ${most}, in the smallest unit of ${currency}.`, { code: 'amount_too_large', param: 'amount' });
  }
  const refused = refusalOfStep(amount, currency);
  if (refused !== undefined) throw refused;
  return amount;
}

/** The refusal of an amount that the currency has no such part for; undefined where it is one. */
export function refusalOfStep(amount: bigint, currency: string): ApiRefusal | undefined {
  const step = STEPS.get(currency) ?? 1n;
  if (amount % step === 0n) return undefined;
  return invalid(`Invalid amount. Amounts in ${currency} must be evenly divisible by ${step}.`, { param: 'amount' });
}
