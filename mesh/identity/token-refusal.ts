import { type Clock, type MeshError, refusal } from '#kit';

import type { AccessToken } from './access-token.ts';

/** How far the clocks of two machines may be apart. */
export const SKEW_MS = 30_000;

const SENTENCES = {
  expired: 'the access token has expired; get a new one by AccountService.Refresh',
  revoked: 'the access token was voided, as by signing out everywhere; get a new one by AccountService.Refresh, or sign in',
  invalid: 'this is no access token of this shop; sign in, or get a new one by AccountService.Refresh',
} as const;

/** ACCESS_TOKEN_REFUSED, which says why, and nothing of the token. */
export function tokenRefused(why: keyof typeof SENTENCES): MeshError {
  return refusal('ACCESS_TOKEN_REFUSED', SENTENCES[why], { metadata: { why } });
}

/** Whether a token was voided before it expires. */
export type IsRevoked = (token: AccessToken) => boolean;

/** Why a token whose signature was good is not good now; undefined while it is. */
export function whyNotNow(token: AccessToken, { clock, isRevoked }: { readonly clock: Clock; readonly isRevoked: IsRevoked }): MeshError | undefined {
  if (token.expireTimeMs + SKEW_MS <= clock.now()) return tokenRefused('expired');
  return isRevoked(token) ? tokenRefused('revoked') : undefined;
}
