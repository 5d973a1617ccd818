/** RFC 5321, 4.5.3.1.3: 256 with the angle brackets. */
const MAX_CHARACTERS = 254;

/**
 * Whether a text is one bare address, `local@domain`, and nothing that a mail server or a header could take for more:
 * no blank, no control character, no comma, quote or bracket. Quoted local parts and address literals are not among
 * them, though RFC 5321 has them: no buyer does.
 */
export function isMailAddress(text: string): boolean {
  return text.length <= MAX_CHARACTERS && text.isWellFormed() && /^[^\s\p{C}@<>()[\]\\,;:"]+@[^\s\p{C}@<>()[\]\\,;:"]+$/u.test(text);
}
