import type { CryptoKey, JWTPayload } from 'jose';

import { type Clock, MeshError } from '#kit';

import { type AccessToken, readAccessToken } from './access-token.ts';
import { createRecentTokens } from './recent-tokens.ts';
import { type IsRevoked, SKEW_MS, tokenRefused, whyNotNow } from './token-refusal.ts';

/** What a token is: header `typ`, as RFC 9068 has it, so that no other JWT of the same key passes for one. */
export const TOKEN_TYPE = 'at+jwt';
/** RFC 8037. No other algorithm is ever looked at. */
export const TOKEN_ALGORITHM = 'EdDSA';

/** Ours have about 500; anything much longer is not decoded. */
const MAX_TOKEN_CHARACTERS = 4_096;
/** Three parts of base64url. Decoders pass over blanks, and one token would have many spellings. */
const SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const MAX_KEY_ID_CHARACTERS = 64;

/** Public keys by their ids. */
export interface TokenKeys {
  /** Undefined when there is no such key, or not any more. Rejects where that is not known. */
  find(keyId: string): Promise<CryptoKey | undefined>;
}

export interface TokenVerifierOptions {
  readonly keys: TokenKeys;
  readonly clock: Clock;
  /** Who signs: claim `iss`. */
  readonly issuer: string;
  /** Whom tokens are for: claim `aud`. */
  readonly audience: string;
  /** Whether the token was voided before it expires. Default: none is. */
  readonly isRevoked?: IsRevoked;
}

export type VerifyToken = (token: string) => Promise<AccessToken>;

/**
 * Verifies access tokens: ACCESS_TOKEN_REFUSED, whose metadata says whether it is `expired`, `revoked` or `invalid`, and
 * nothing of the token. The key is the one that the token names, out of ours; what it says of keys itself (`jwk`, `jku`,
 * `x5c`) is not read. Rules: RFC 8725.
 */
export function createTokenVerifier(options: TokenVerifierOptions): VerifyToken {
  const { keys, clock, isRevoked = () => false } = options;
  const recent = createRecentTokens(clock);
  const keyOf = async ({ kid }: { kid?: unknown }): Promise<CryptoKey> => {
    const key = typeof kid === 'string' && kid.length <= MAX_KEY_ID_CHARACTERS ? await keys.find(kid) : undefined;
    if (key) return key;
    throw tokenRefused('invalid');
  };

  async function read(text: string): Promise<AccessToken> {
    if (text.length > MAX_TOKEN_CHARACTERS || !SHAPE.test(text)) throw tokenRefused('invalid');
    const token = readAccessToken(await verified(text, keyOf, options));
    if (!token) throw tokenRefused('invalid');
    recent.add(text, token);
    return token;
  }

  return async (text) => {
    const token = recent.find(text) ?? (await read(text));
    const reason = whyNotNow(token, { clock, isRevoked });
    if (reason) throw reason;
    return token;
  };
}

type KeyOf = (header: { kid?: unknown }) => Promise<CryptoKey>;

async function verified(text: string, keyOf: KeyOf, { issuer, audience, clock }: TokenVerifierOptions): Promise<JWTPayload> {
  // A process that sees no token does not load it.
  const { errors, jwtVerify } = await import('jose');
  try {
    const { payload } = await jwtVerify(text, keyOf, {
      algorithms: [TOKEN_ALGORITHM],
      issuer,
      audience,
      typ: TOKEN_TYPE,
      requiredClaims: ['sub', 'jti', 'iat', 'exp'],
      clockTolerance: SKEW_MS / 1_000,
      currentDate: new Date(clock.now()),
    });
    return payload;
  } catch (thrown) {
    if (thrown instanceof MeshError) throw thrown;
    // Not as the cause: the library's error holds the claims.
    throw tokenRefused(thrown instanceof errors.JWTExpired ? 'expired' : 'invalid');
  }
}
