/** What a password hash costs whoever makes it. */
export interface HashCost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}

/** argon2id as OWASP's Password Storage Cheat Sheet has it: 19 MiB, 2 passes, 1 lane. */
export const HASH_COST: HashCost = { memoryKiB: 19_456, passes: 2, lanes: 1 };

/** A hash with what is needed to make it again. */
export interface PasswordHash {
  readonly cost: HashCost;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

/** RFC 9106, version 0x13: the only one that Node makes. */
const VERSION = 19;
const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** As a PHC string, which other programs read too (https://github.com/P-H-C/phc-string-format). */
export function formatHash({ cost, salt, tag }: PasswordHash): string {
  return `$argon2id$v=${VERSION}$m=${cost.memoryKiB},t=${cost.passes},p=${cost.lanes}$${base64(salt)}$${base64(tag)}`;
}

/** Throws for a text that is none; it is not repeated in the error. */
export function parseHash(text: string): PasswordHash {
  const [, memoryKiB, passes, lanes, salt = '', tag = ''] = PHC.exec(text) ?? [];
  if (memoryKiB === undefined) throw new Error('a stored password hash is no PHC string of argon2id');
  const cost = { memoryKiB: Number(memoryKiB), passes: Number(passes), lanes: Number(lanes) };
  return { cost, salt: Buffer.from(salt, 'base64'), tag: Buffer.from(tag, 'base64') };
}

/** Whether it was made at another cost than today's, so that it should be made anew when the password is at hand. */
export function isOutdated({ cost }: PasswordHash): boolean {
  return cost.memoryKiB !== HASH_COST.memoryKiB || cost.passes !== HASH_COST.passes || cost.lanes !== HASH_COST.lanes;
}

/** Without padding, as PHC strings have it. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
