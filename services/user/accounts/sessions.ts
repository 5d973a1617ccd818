import { type MeshError, newId, refusal } from '#kit';

import type { Accounts } from './accounts.ts';
import { type Account, type Session, SESSION_MS } from './domain.ts';
import { formatRefreshToken, newRefreshToken, parseRefreshToken } from './refresh-token.ts';
import { findSession, insertSession, type KeptSession } from './session-store.ts';
import { isHashOf } from './sha256.ts';
import { endStolenSession } from './stolen-session.ts';

/** What a client gets. */
export interface SignedIn {
  readonly session: Session;
  readonly accessToken: string;
  readonly accessExpireTime: Date;
  readonly refreshToken: string;
}

/** @param forgives the limit that the right password gives back; empty: none */
export async function beginSession(accounts: Accounts, account: Account, forgives: string): Promise<SignedIn> {
  const { database, clock, random, issueAccessToken } = accounts;
  const token = newRefreshToken(random);
  const now = new Date(clock.now());
  const [access, session] = await Promise.all([
    issueAccessToken(account),
    insertSession(database, account, { sessionId: newId(clock, random), token, now, expireTime: new Date(now.getTime() + SESSION_MS), forgives }),
  ]);
  // The password was changed, or the account deleted, while this one was checked.
  if (!session) throw invalidCredentials();
  return { session, accessToken: access.token, accessExpireTime: access.expireTime, refreshToken: formatRefreshToken(token) };
}

/** The session of a refresh token that is good now. SESSION_ENDED; for a token that was used up, it is from here on. */
export async function requireSession(accounts: Accounts, refreshToken: string): Promise<KeptSession> {
  const token = parseRefreshToken(refreshToken);
  const session = await findSession(accounts.database, token, new Date(accounts.clock.now()));
  if (!session) throw sessionEnded();
  if (isHashOf(session.secretHash, token.secret)) return session;
  await endStolenSession(accounts, session);
  throw sessionEnded();
}

export function sessionEnded(): MeshError {
  return refusal('SESSION_ENDED', 'the session is over; sign in again');
}

/** The same for an unknown address and a wrong password: nothing tells which it was. */
export function invalidCredentials(): MeshError {
  return refusal('INVALID_CREDENTIALS', 'address and password do not fit; correct them, or have a new password set');
}
