import { refusal } from './errors.ts';

/** An amount in the smallest unit of its currency: 1999 of EUR is €19.99. Never a float. */
export interface Money {
  readonly minor: bigint;
  /** ISO 4217, such as `EUR`. */
  readonly currency: string;
}

/** The fields of `google.type.Money`. */
export interface ProtoMoney {
  readonly currencyCode: string;
  readonly units: bigint;
  readonly nanos: number;
}

const NANO_DIGITS = 9;
const NANOS_PER_UNIT = 10 ** NANO_DIGITS;
const KNOWN: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** Decimals of the currencies that have not two (ISO 4217). Not from `Intl`: it shows HUF, IDR and fifteen more without the decimals they have. */
const DIGITS: ReadonlyMap<string, number> = new Map([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0] as const),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3] as const),
]);

/**
 * The most that one payment by card takes, in minor units: Stripe has eight digits for it, in the unit it counts
 * in (https://docs.stripe.com/api/payment_intents/create, `amount`). 999,999.99 EUR, 99,999,999 JPY.
 */
const MAX_CHARGE = 99_999_999n;

/**
 * The same for the currencies that Stripe does not count in minor units of ISO 4217, or takes other lengths of
 * (https://docs.stripe.com/currencies): ISK and UGX in hundredths, MGA in whole ariary, IDR with twelve digits.
 */
const MAX_CHARGES: ReadonlyMap<string, bigint> = new Map([
  ['ISK', 999_999n],
  ['UGX', 999_999n],
  ['MGA', 9_999_999_900n],
  ['IDR', 999_999_999_999n],
]);

/** Minor units that a charge is a multiple of, where that is not one: Stripe has no parts of an ariary, and wants a zero as the third decimal. */
const CHARGE_STEPS: ReadonlyMap<string, bigint> = new Map([['MGA', 100n], ...'BHD JOD KWD OMR TND'.split(' ').map((code) => [code, 10n] as const)]);

/**
 * Reads a `google.type.Money`. INVALID_ARGUMENT for an unknown currency, an amount finer than
 * the currency has, or nanos that are a unit and more, or of another sign than the units.
 */
export function fromProtoMoney({ currencyCode, units, nanos }: ProtoMoney): Money {
  const digits = minorDigits(currencyCode);
  if (Math.abs(nanos) >= NANOS_PER_UNIT || (units > 0n && nanos < 0) || (units < 0n && nanos > 0)) {
    throw refusal('INVALID_ARGUMENT', 'nanos must be less than a unit and have the sign of the units; carry the rest over');
  }
  const nanosPerMinor = 10 ** (NANO_DIGITS - digits);
  if (nanos % nanosPerMinor !== 0) {
    throw refusal('INVALID_ARGUMENT', `${currencyCode} has ${digits} decimals; round the amount to that`);
  }
  return { minor: units * 10n ** BigInt(digits) + BigInt(nanos / nanosPerMinor), currency: currencyCode };
}

/** Writes a `google.type.Money`. */
export function toProtoMoney({ minor, currency }: Money): ProtoMoney {
  const digits = minorDigits(currency);
  const scale = 10n ** BigInt(digits);
  return { currencyCode: currency, units: minor / scale, nanos: Number(minor % scale) * 10 ** (NANO_DIGITS - digits) };
}

/**
 * Refuses with INVALID_ARGUMENT an amount that no card payment can be made of, because it is too large for one
 * or finer than cards pay: who takes an order and who charges it say the same. The least amount is not checked,
 * since it depends on the account's own currency (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
 */
export function requireChargeable({ minor, currency }: Money): void {
  const step = CHARGE_STEPS.get(currency) ?? 1n;
  if (minor % step !== 0n) {
    throw refusal('INVALID_ARGUMENT', `cards pay ${currency} in steps of ${moneyInWords({ minor: step, currency })}; round the amount to that`);
  }
  const most = MAX_CHARGES.get(currency) ?? MAX_CHARGE - (MAX_CHARGE % step);
  if (minor > most) {
    throw refusal('INVALID_ARGUMENT', `one payment by card takes at most ${moneyInWords({ minor: most, currency })}; split it into smaller orders`);
  }
}

/** Such as `-999999.99 EUR` or `500 JPY`. Of a currency that is none, the smallest units: `500 ABC`, or `500`. */
export function moneyInWords(money: Money): string {
  return `${amountInWords(money)} ${money.currency}`.trimEnd();
}

/** The same without the currency. */
export function amountInWords({ minor, currency }: Money): string {
  const digits = KNOWN.has(currency) ? minorDigits(currency) : 0;
  const text = String(minor < 0n ? -minor : minor).padStart(digits + 1, '0');
  const unsigned = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
  return minor < 0n ? `-${unsigned}` : unsigned;
}

/** Decimals of a currency: 2 for EUR, 0 for JPY, 3 for KWD. */
function minorDigits(currency: string): number {
  if (!KNOWN.has(currency)) throw refusal('INVALID_ARGUMENT', `${currency} is not a currency; use an ISO 4217 code such as EUR`);
  return DIGITS.get(currency) ?? 2;
}
