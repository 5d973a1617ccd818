import { MeshError, type Money, toProtoMoney } from '#kit';

const NANO_DIGITS = 9;

/** Such as `1250.00 EUR`; the bare number for a currency that is none. */
export function moneyInWords({ minor, currency }: Money): string {
  return `${amountInWords({ minor, currency })} ${currency}`.trim();
}

/** The same without the currency. */
export function amountInWords({ minor, currency }: Money): string {
  const digits = digitsOf(currency);
  const text = String(minor < 0n ? -minor : minor).padStart(digits + 1, '0');
  const amount = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
  return minor < 0n ? `-${amount}` : amount;
}

/** Decimals of a currency, by what one minor unit comes to. */
function digitsOf(currency: string): number {
  try {
    const { nanos } = toProtoMoney({ minor: 1n, currency });
    return nanos === 0 ? 0 : NANO_DIGITS - Math.round(Math.log10(nanos));
  } catch (thrown) {
    if (MeshError.from(thrown).reason !== 'INVALID_ARGUMENT') throw thrown;
    return 0;
  }
}
