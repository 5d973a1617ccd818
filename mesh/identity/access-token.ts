import type { JWTPayload } from 'jose';

const MAX_ROLES = 32;
const MAX_NAME_CHARACTERS = 64;

/** What a verified access token says. */
export interface AccessToken {
  /** Claim `sub`. */
  readonly userId: string;
  readonly roles: readonly string[];
  /** Claim `jti`. */
  readonly tokenId: string;
  /** Claim `ver`: one more for each time the user's tokens were voided. */
  readonly generation: number;
  /** Milliseconds since the epoch. */
  readonly expireTimeMs: number;
}

/** Of claims whose signature is good. Undefined when they are not what we write: then they are of another version, and not ours to guess at. */
export function readAccessToken({ sub, jti, exp, ver, roles }: JWTPayload): AccessToken | undefined {
  if (!isName(sub) || !isName(jti) || exp === undefined || !isGeneration(ver) || !isRoles(roles)) return undefined;
  return { userId: sub, roles, tokenId: jti, generation: ver, expireTimeMs: exp * 1_000 };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_CHARACTERS;
}

function isGeneration(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isRoles(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= MAX_ROLES && value.every(isName);
}
