import { type Clock, newId, type Random } from '#kit';
import { TOKEN_ALGORITHM, TOKEN_TYPE } from '#mesh';
import { AccountService } from '#proto/shop/user/v1/account_pb.js';

import { ACCESS_TOKEN_AUDIENCE, ACCESS_TOKEN_MS, type Account } from './domain.ts';
import type { SigningKeys } from './signing-keys.ts';

export interface IssuedToken {
  readonly token: string;
  readonly expireTime: Date;
}

/** Makes access tokens: JWTs as RFC 9068 has them, for 5 minutes. */
export type IssueAccessToken = (account: Pick<Account, 'userId' | 'roles' | 'generation'>) => Promise<IssuedToken>;

export interface AccessTokensOptions {
  readonly keys: SigningKeys;
  readonly clock: Clock;
  readonly random: Random;
}

export function createAccessTokens({ keys, clock, random }: AccessTokensOptions): IssueAccessToken {
  return async ({ userId, roles, generation }) => {
    const { SignJWT } = await import('jose');
    const { keyId, privateKey } = await keys.current();
    // A JWT's times are whole seconds.
    const nowSeconds = Math.floor(clock.now() / 1_000);
    const expireSeconds = nowSeconds + ACCESS_TOKEN_MS / 1_000;
    const token = await new SignJWT({ roles, ver: Number(generation) })
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: keyId, typ: TOKEN_TYPE })
      .setIssuer(AccountService.typeName)
      .setAudience(ACCESS_TOKEN_AUDIENCE)
      .setSubject(userId)
      .setJti(newId(clock, random))
      .setIssuedAt(nowSeconds)
      .setExpirationTime(expireSeconds)
      .sign(privateKey);
    return { token, expireTime: new Date(expireSeconds * 1_000) };
  };
}
