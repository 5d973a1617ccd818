import { timestampMs } from '@bufbuild/protobuf/wkt';

import { MeshError, refusal } from '#kit';
import { AccountService } from '#proto/shop/user/v1/account_pb.js';
import { withSpan } from '#tracing';

import type { Caller } from './caller.ts';
import type { Credentials } from './credentials.ts';
import { explainFailure } from './explain-failure.ts';

/** Longer than the contract's, for a machine on which everything has just started. */
const DEADLINE_MS = 30_000;

/** What proves to services who somebody is. */
export interface SignedIn {
  readonly userId: string;
  readonly accessToken: string;
  /** Milliseconds since the epoch. */
  readonly expireTimeMs: number;
}

/** Signs somebody in for one access token, which is good for 5 minutes. The session ends at once: nothing stays that could get another one. */
export async function signInAs({ email, password, isDemo }: Credentials, caller: Caller, signal?: AbortSignal): Promise<SignedIn> {
  const accounts = caller.mesh.client(AccountService, caller);
  try {
    return await withSpan(caller.tracer, 'sign in', {}, async () => {
      const { session, tokens } = await accounts.signIn({ email, password }, { deadlineMs: DEADLINE_MS, ...(signal && { signal }) });
      // A session that does not end goes on unused, and ends by itself.
      await accounts.signOut({ refreshToken: tokens?.refreshToken ?? '' }).catch(() => undefined);
      const { accessToken = '', accessExpireTime } = tokens ?? {};
      return { userId: session?.userId ?? '', accessToken, expireTimeMs: accessExpireTime ? timestampMs(accessExpireTime) : 0 };
    });
  } catch (thrown) {
    if (isDemo && MeshError.from(thrown).reason === 'INVALID_CREDENTIALS') throw noDemoAccounts(thrown);
    throw explainFailure(thrown, { service: 'user', deadlineMs: DEADLINE_MS });
  }
}

function noDemoAccounts(cause: unknown): MeshError {
  return refusal('INVALID_CREDENTIALS', 'this shop has no demo accounts: `npm start` and `mesh up --demo` make them, on one machine alone; name the mail address of an account with --as', { cause });
}

/** The header that brings a token along. */
export function bearer({ accessToken }: Pick<SignedIn, 'accessToken'>): { readonly authorization: string } {
  return { authorization: `Bearer ${accessToken}` };
}
