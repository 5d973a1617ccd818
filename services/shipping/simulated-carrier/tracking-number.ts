import type { Random } from '#kit';

/** Crockford's base 32 (https://www.crockford.com/base32.html): no I, L, O or U, which are misread. */
const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUPS = 3;
const GROUP_LENGTH = 4;

/** A new number such as `SIM-7K3D-92QF-M0XA-42`: 60 random bits, and check digits that tell of a slip in reading or typing. */
export function newTrackingNumber(random: Random): string {
  // 256 is a multiple of 32, so every symbol is as likely.
  const symbols = Array.from(random.bytes(GROUPS * GROUP_LENGTH), (byte) => SYMBOLS.charAt(byte % SYMBOLS.length));
  const groups = Array.from({ length: GROUPS }, (_, index) => symbols.slice(index * GROUP_LENGTH, (index + 1) * GROUP_LENGTH).join(''));
  return ['SIM', ...groups, checkDigits(symbols)].join('-');
}

/** ISO 7064 MOD 97-10, as in an IBAN: letters stand for 10 to 35, and all digits together leave 1 when divided by 97. */
function checkDigits(symbols: readonly string[]): string {
  const digits = symbols.map((symbol) => Number.parseInt(symbol, 36)).join('');
  return String(98n - (BigInt(`${digits}00`) % 97n)).padStart(2, '0');
}
