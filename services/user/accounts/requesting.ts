import type { Transaction } from '#database';
import { appendEvent } from '#events';
import { MeshError, newId } from '#kit';
import { claimResources, type Effect } from '#mesh';
import type { RegisterRequest, RequestPasswordResetRequest } from '#proto/shop/user/v1/account_pb.js';

import type { Accounts, Caller } from './accounts.ts';
import { findAccountByEmail, findPerson } from './account-store.ts';
import { type Verification, VERIFICATION_MS } from './domain.ts';
import { emailKeyOf } from './email-key.ts';
import { verificationRequested } from './events.ts';
import { requireGoodPassword } from './password-policy.ts';
import { insertVerification } from './verification-store.ts';

/**
 * Notes who wants an account, and has the address verified; if there is one, its owner is told by the same way. Whoever
 * asked for it holds the verification, and whoever reads the mailbox the code: both are needed, so that nobody gets an account
 * with an address of others, and nobody a password of others on his own.
 */
export async function register(accounts: Accounts, request: RegisterRequest, effect: Effect | undefined, caller: Caller): Promise<string> {
  const { email, displayName, password } = request;
  requireGoodPassword(password, 'password');
  // What is hashed of a request is kept for a day, without salt: a password must not be in it.
  effect?.readAs(withoutPassword(request));
  await takeOfAddress(accounts, caller);
  const passwordHash = await accounts.passwords.hash(password, caller.signal);
  const person = { email, emailKey: emailKeyOf(email), displayName };
  return requestCode(accounts, effect, person.emailKey, async (tx, ids) => {
    const known = await findAccountByEmail(tx, person.emailKey);
    if (known) return { ...ids, ...person, purpose: 'ALREADY_REGISTERED', userId: known.userId, passwordHash: null };
    return { ...ids, ...person, purpose: 'REGISTRATION', passwordHash };
  });
}

/** As `register`, for a new password; an address without an account is noted the same way, and nothing is mailed. */
export async function requestPasswordReset(accounts: Accounts, { email }: RequestPasswordResetRequest, effect: Effect | undefined, caller: Caller): Promise<string> {
  await takeOfAddress(accounts, caller);
  const emailKey = emailKeyOf(email);
  return requestCode(accounts, effect, emailKey, async (tx, ids) => {
    const known = await findAccountByEmail(tx, emailKey);
    const person = await findPerson(tx, known?.userId ?? '');
    if (!person) return { ...ids, email, emailKey, displayName: '', purpose: 'NOBODY', passwordHash: null };
    // To the address as the account has it: another spelling of it might be somebody else's mailbox.
    return { ...ids, ...person, emailKey, purpose: 'PASSWORD_RESET', passwordHash: null };
  });
}

function withoutPassword(request: RegisterRequest): RegisterRequest {
  return { ...request, password: '' };
}

async function takeOfAddress({ limits }: Accounts, { address }: Caller): Promise<void> {
  if (address !== undefined) await limits.take([{ name: 'code from address', of: [address] }]);
}

type Ids = Pick<Verification, 'verificationId' | 'userId'>;

/** Writes the verification and the event that has its mail sent, once for a request; returns the id. TOO_MANY_ATTEMPTS. */
async function requestCode(
  { database, limits, clock, random }: Accounts,
  effect: Effect | undefined,
  emailKey: string,
  makeOf: (tx: Transaction, ids: Ids) => Promise<Verification>,
): Promise<string> {
  const ids = { verificationId: newId(clock, random), userId: newId(clock, random) };
  return database.transaction('account.request_code', async (tx) => {
    const [claimed = ids.verificationId] = effect ? await claimResources(tx, [effect.claimOf(ids.verificationId)]) : [];
    if (claimed instanceof MeshError) throw claimed;
    if (claimed !== ids.verificationId) return claimed;
    await limits.take([{ name: 'code for account', of: [emailKey] }], tx);
    const verification = await makeOf(tx, ids);
    const now = clock.now();
    await insertVerification(tx, verification, new Date(now), new Date(now + VERIFICATION_MS));
    await appendEvent(tx, verificationRequested({ clock, random }, verification));
    return ids.verificationId;
  });
}
