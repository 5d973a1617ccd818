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
const KNOWN: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));
const digitsOf = new Map<string, number>();

/** Reads a `google.type.Money`. INVALID_ARGUMENT for an unknown currency, or an amount finer than the currency has. */
export function fromProtoMoney({ currencyCode, units, nanos }: ProtoMoney): Money {
  const digits = minorDigits(currencyCode);
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

/** Decimals of a currency: 2 for EUR, 0 for JPY, 3 for KWD (ISO 4217, from the ICU data that Node ships). */
function minorDigits(currency: string): number {
  const known = digitsOf.get(currency);
  if (known !== undefined) return known;
  if (!KNOWN.has(currency)) throw refusal('INVALID_ARGUMENT', `${currency} is not a currency; use an ISO 4217 code such as EUR`);
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  digitsOf.set(currency, digits);
  return digits;
}
