import { type CryptoKey, generateKeyPair, SignJWT } from 'jose';

import { systemClock } from '#kit';
import { createTokenVerifier, type VerifyToken } from '#mesh';

const ISSUER = 'shop.user.v1.AccountService';
const AUDIENCE = 'shopmesh';
const LIFE_SECONDS = 300;

/** People with tokens, and what verifies these. */
export interface People {
  readonly verify: VerifyToken;
  /** A good access token. */
  token(userId: string, ...roles: string[]): Promise<string>;
  /** One of another issuer's key. */
  forged(userId: string, ...roles: string[]): Promise<string>;
}

export async function createPeople(): Promise<People> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA');
  const { privateKey: strangersKey } = await generateKeyPair('EdDSA');
  const keys = { find: async (): Promise<CryptoKey> => publicKey };
  const sign = (key: CryptoKey, userId: string, roles: readonly string[]): Promise<string> => {
    const nowSeconds = Math.floor(systemClock.now() / 1_000);
    return new SignJWT({ roles, ver: 0 })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'ours', typ: 'at+jwt' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(userId)
      .setJti(`token-of-${userId}`)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + LIFE_SECONDS)
      .sign(key);
  };
  return {
    verify: createTokenVerifier({ keys, clock: systemClock, issuer: ISSUER, audience: AUDIENCE }),
    token: (userId, ...roles) => sign(privateKey, userId, roles),
    forged: (userId, ...roles) => sign(strangersKey, userId, roles),
  };
}

/** What brings a token along. */
export function as(token: string): { readonly headers: { readonly authorization: string } } {
  return { headers: { authorization: `Bearer ${token}` } };
}
