import type { Accounts } from './accounts.ts';
import { REPLAY_MS, SESSION_MS } from './domain.ts';
import { formatRefreshToken, newRotationSalt, nextRefreshToken, parseRefreshToken, type RefreshToken } from './refresh-token.ts';
import { findSession, type KeptSession, rotateSession, type SessionOfAccount } from './session-store.ts';
import { sessionEnded, type SignedIn } from './sessions.ts';
import { isHashOf } from './sha256.ts';
import { endStolenSession } from './stolen-session.ts';

/**
 * Uses a refresh token up and gives the next one. One statement in nearly every case; otherwise the token was used before:
 * by the same request, whose answer may have been lost, or by somebody else. SESSION_ENDED.
 */
export async function refresh(accounts: Accounts, refreshToken: string, requestId: string): Promise<SignedIn> {
  const { database, clock, random } = accounts;
  const given = parseRefreshToken(refreshToken);
  const salt = newRotationSalt(random);
  const next = nextRefreshToken(given, salt);
  const now = new Date(clock.now());
  const rotated = await rotateSession(database, { given, next, salt, requestId, now, expireTime: new Date(now.getTime() + SESSION_MS) });
  return rotated ? signedIn(accounts, rotated, next) : refreshAgain(accounts, given, requestId, now);
}

async function refreshAgain(accounts: Accounts, given: RefreshToken, requestId: string, now: Date): Promise<SignedIn> {
  const session = await findSession(accounts.database, given, now);
  if (!session) throw sessionEnded();
  const next = repeatOf(session, given, requestId, now);
  if (next) return signedIn(accounts, session, next);
  await endStolenSession(accounts, session);
  throw sessionEnded();
}

/** The token that the same request got before; undefined when this is another one, too late, or the next was used. */
function repeatOf({ previousHash, salt, requestHash, refreshTime }: KeptSession, given: RefreshToken, requestId: string, now: Date): RefreshToken | undefined {
  const isSame = isHashOf(previousHash, given.secret) && isHashOf(requestHash, requestId);
  const isSoon = now.getTime() - refreshTime.getTime() <= REPLAY_MS;
  return isSame && isSoon && salt ? nextRefreshToken(given, salt) : undefined;
}

async function signedIn({ issueAccessToken }: Accounts, session: SessionOfAccount, token: RefreshToken): Promise<SignedIn> {
  const access = await issueAccessToken(session);
  return { session, accessToken: access.token, accessExpireTime: access.expireTime, refreshToken: formatRefreshToken(token) };
}
