/**
 * An address as it is compared: two spellings that reach one mailbox are one account. Upper and lower case are the same
 * everywhere in practice, though RFC 5321 leaves the part before the @ to its host.
 */
export function emailKeyOf(email: string): string {
  return email.normalize('NFKC').toLowerCase();
}
