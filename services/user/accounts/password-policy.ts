import { refusal } from '#kit';

import { COMMON_PASSWORDS } from './common-passwords.ts';

/** NIST SP 800-63B, 3.1.1.2: a least length, a generous greatest one, a list of common ones, and no other rules. */
const MIN_CHARACTERS = 8;
const MAX_CHARACTERS = 128;

/** A password as it is hashed: characters that look the same on two keyboards may be other code points. */
export function normalizePassword(password: string): string {
  return password.normalize('NFKC');
}

/** Throws PASSWORD_REFUSED, naming the field and never the password. */
export function requireGoodPassword(password: string, field: 'password' | 'new_password'): void {
  const normalized = normalizePassword(password);
  const characters = [...normalized].length;
  const description = whyBad(normalized, characters);
  if (description) throw refusal('PASSWORD_REFUSED', `${field}: ${description}; choose another one`, { violations: [{ field, description }] });
}

function whyBad(password: string, characters: number): string | undefined {
  if (characters < MIN_CHARACTERS) return `it has ${characters} characters, and needs ${MIN_CHARACTERS}`;
  if (characters > MAX_CHARACTERS) return `it has ${characters} characters, and may have ${MAX_CHARACTERS}`;
  return COMMON_PASSWORDS.has(password.toLowerCase()) ? 'it is among those that are guessed first' : undefined;
}
