import { appendEvent } from '#events';

import type { Accounts, Caller } from './accounts.ts';
import { deleteAccount as writeDeletion, erasePerson, findPerson, raiseGeneration, setPassword } from './account-store.ts';
import type { AccountOfPerson } from './domain.ts';
import { accountDeleted } from './events.ts';
import { requireGoodPassword } from './password-policy.ts';
import { announceRevocation } from './revocation-store.ts';
import { endAllSessions, type KeptSession } from './session-store.ts';
import { beginSession, invalidCredentials, requireSession, sessionEnded, type SignedIn } from './sessions.ts';
import { requirePassword } from './signing-in.ts';
import { deleteVerificationsOf } from './verification-store.ts';

// Each of these changes the account's row before it ends sessions: see session-store.ts.

/** Ends every session, and voids the access tokens. SESSION_ENDED. */
export async function signOutEverywhere(accounts: Accounts, refreshToken: string): Promise<AccountOfPerson> {
  const { userId } = await requireSession(accounts, refreshToken);
  const person = await accounts.database.transaction('account.sign_out_everywhere', async (tx) => {
    const account = await raiseGeneration(tx, userId);
    if (!account) return undefined;
    await endAllSessions(tx, userId);
    await announceRevocation(tx, account, accounts.clock);
    return findPerson(tx, userId);
  });
  // Deleted since the session was found.
  if (!person) throw sessionEnded();
  return person;
}

/** Sets another password and begins the only session there is then. SESSION_ENDED, INVALID_CREDENTIALS, PASSWORD_REFUSED. */
export async function changePassword(accounts: Accounts, refreshToken: string, current: string, wanted: string, { signal }: Caller): Promise<SignedIn> {
  requireGoodPassword(wanted, 'new_password');
  const checked = await requireOwner(accounts, refreshToken, current, signal);
  const passwordHash = await accounts.passwords.hash(wanted, signal);
  const account = await accounts.database.transaction('account.change_password', async (tx) => {
    const changed = await setPassword(tx, checked.userId, checked.passwordHash, passwordHash);
    if (!changed) return undefined;
    await endAllSessions(tx, changed.userId);
    await announceRevocation(tx, changed, accounts.clock);
    return changed;
  });
  // Changed by somebody else since it was checked.
  if (!account) throw invalidCredentials();
  return beginSession(accounts, account, '');
}

/** Deletes the account, and erases the person from the user; returns the user's id. SESSION_ENDED, INVALID_CREDENTIALS. */
export async function deleteAccount(accounts: Accounts, refreshToken: string, password: string, { signal }: Caller): Promise<string> {
  const { database, clock, random } = accounts;
  const checked = await requireOwner(accounts, refreshToken, password, signal);
  const isDeleted = await database.transaction('account.delete', async (tx) => {
    const deleted = await writeDeletion(tx, checked);
    if (!deleted) return false;
    await deleteVerificationsOf(tx, deleted.userId);
    await erasePerson(tx, deleted.userId);
    await announceRevocation(tx, { userId: deleted.userId, generation: deleted.generation + 1n }, clock);
    await appendEvent(tx, accountDeleted({ clock, random }, deleted.userId));
    return true;
  });
  if (!isDeleted) throw invalidCredentials();
  return checked.userId;
}

/** Who has both a living session and the password. A thief of either has no more than that. */
async function requireOwner(accounts: Accounts, refreshToken: string, password: string, signal: AbortSignal): Promise<KeptSession> {
  const session = await requireSession(accounts, refreshToken);
  await accounts.limits.take([{ name: 'password of session', of: [session.sessionId] }]);
  const { passwordHash } = await requirePassword(accounts, session, password, signal);
  return { ...session, passwordHash };
}
