import type { Accounts, Caller } from './accounts.ts';
import { findAccountByEmail, rehash } from './account-store.ts';
import type { Account } from './domain.ts';
import { emailKeyOf } from './email-key.ts';
import { limitKey, type Limited } from './limits.ts';
import { beginSession, invalidCredentials, type SignedIn } from './sessions.ts';

/**
 * Begins a session for whoever knows the password. Two statements and one hash, whether there is such an account or not, and
 * for the right password one statement more. INVALID_CREDENTIALS, TOO_MANY_ATTEMPTS, OVERLOADED.
 */
export async function signIn(accounts: Accounts, email: string, password: string, caller: Caller): Promise<SignedIn> {
  const emailKey = emailKeyOf(email);
  const [ofBoth, ...others] = limitsOf(emailKey, caller.address);
  await accounts.limits.take([ofBoth, ...others]);
  const account = await requirePassword(accounts, await findAccountByEmail(accounts.database, emailKey), password, caller.signal);
  return beginSession(accounts, account, limitKey(ofBoth));
}

function limitsOf(emailKey: string, address = ''): [Limited, ...Limited[]] {
  const ofAccount: [Limited, Limited] = [
    { name: 'sign-in of account from address', of: [emailKey, address] },
    { name: 'sign-in of account', of: [emailKey] },
  ];
  return address === '' ? ofAccount : [...ofAccount, { name: 'sign-in from address', of: [address] }];
}

/** The account, if this is its password. A hash is made in any case. INVALID_CREDENTIALS. */
export async function requirePassword({ database, passwords }: Accounts, account: Account | undefined, password: string, signal: AbortSignal): Promise<Account> {
  const verdict = await passwords.verify(password, account?.passwordHash, signal);
  if (!account || verdict === 'wrong') throw invalidCredentials();
  if (verdict === 'right') return account;
  const passwordHash = await passwords.hash(password, signal);
  await rehash(database, account, passwordHash);
  return { ...account, passwordHash };
}
