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

/** Decimals of a currency: 2 for EUR, 0 for JPY, 3 for KWD. */
function minorDigits(currency: string): number {
  if (!KNOWN.has(currency)) throw refusal('INVALID_ARGUMENT', `${currency} is not a currency; use an ISO 4217 code such as EUR`);
  return DIGITS.get(currency) ?? 2;
}
