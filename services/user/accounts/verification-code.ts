import type { Random } from '#kit';

/** Crockford's base 32: no letter that is taken for a digit (https://www.crockford.com/base32.html). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 80 bits: its SHA-256 in the table gives nobody the code within the half hour in which it is good. */
const CHARACTERS = 16;

/** Such as `7K3M-0QXA-B52F-9TWE`. */
export function newVerificationCode(random: Random): string {
  // 32 divides 256: each character is as likely as the others.
  const characters = [...random.bytes(CHARACTERS)].map((byte) => ALPHABET.charAt(byte % ALPHABET.length));
  return characters.join('').replace(/(.{4})(?=.)/g, '$1-');
}

/** A code as it is compared: typed in small letters, with blanks, or with an O for a zero, it is the same. */
export function normalizeCode(code: string): string {
  return code.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
}
