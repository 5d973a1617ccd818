import type { Transaction } from '#database';
import { type MeshError, refusal } from '#kit';

import { insertUser } from '../store.ts';
import type { Accounts, Caller } from './accounts.ts';
import { findPerson, insertAccount, overwritePassword } from './account-store.ts';
import { type AccountOfPerson, CODE_MS, type Verification, type VerificationPurpose } from './domain.ts';
import { requireGoodPassword } from './password-policy.ts';
import { announceRevocation } from './revocation-store.ts';
import { endAllSessions } from './session-store.ts';
import { isHashOf, sha256 } from './sha256.ts';
import { newVerificationCode, normalizeCode } from './verification-code.ts';
import { concludeVerification, countFailure, findVerification, issueCode, type KeptVerification } from './verification-store.ts';

export interface CodeToSend {
  readonly verification: Verification;
  /** Empty where there is none to be given. */
  readonly code: string;
  readonly expireTime: Date;
}

/** Makes a code, which from then on is in the answer alone. VERIFICATION_NOT_FOUND. */
export async function issueVerificationCode({ database, clock, random }: Accounts, verificationId: string): Promise<CodeToSend> {
  const code = newVerificationCode(random);
  const now = clock.now();
  const expireTime = new Date(now + CODE_MS);
  const verification = await issueCode(database, verificationId, { codeHash: sha256(normalizeCode(code)), expireTime }, new Date(now));
  if (!verification) throw refusal('VERIFICATION_NOT_FOUND', `there is nothing to send for verification ${verificationId}; send nothing`);
  return { verification, code: verification.purpose === 'ALREADY_REGISTERED' ? '' : code, expireTime };
}

/** A code that somebody typed. */
export interface TypedCode {
  readonly verificationId: string;
  readonly code: string;
}

/** Makes the account that was asked for, once. VERIFICATION_REFUSED. */
export async function verifyEmail(accounts: Accounts, typed: TypedCode, caller: Caller): Promise<AccountOfPerson> {
  await takeOfAddress(accounts, caller);
  return settle(accounts, 'REGISTRATION', typed, async (tx, { userId, emailKey, email, displayName, passwordHash }) => {
    const createTime = new Date(accounts.clock.now());
    // Somebody else may have verified the same address first.
    const isMade = passwordHash !== null && (await insertAccount(tx, { userId, emailKey, passwordHash, createTime }));
    return isMade && (await insertUser(tx, { userId, email, displayName, createTime })) !== undefined;
  });
}

/** Sets a new password, once, and ends every session. VERIFICATION_REFUSED, PASSWORD_REFUSED. */
export async function resetPassword(accounts: Accounts, typed: TypedCode, password: string, caller: Caller): Promise<AccountOfPerson> {
  requireGoodPassword(password, 'new_password');
  await takeOfAddress(accounts, caller);
  // Looked at first, since a hash is dear: whoever knows no code gets none made.
  const looked = await accounts.database.transaction('account.look_at_code', (tx) => judge(accounts, tx, 'PASSWORD_RESET', typed));
  if (!looked) throw verificationRefused();
  const passwordHash = await accounts.passwords.hash(password, caller.signal);
  return settle(accounts, 'PASSWORD_RESET', typed, async (tx, { userId }) => {
    const account = await overwritePassword(tx, userId, passwordHash);
    if (!account) return false;
    await endAllSessions(tx, userId);
    await announceRevocation(tx, account, accounts.clock);
    return true;
  });
}

/** Has the effect of a verification for who brings its code, once; the code again finds the account that it made or changed. */
async function settle(
  accounts: Accounts,
  purpose: VerificationPurpose,
  typed: TypedCode,
  takesEffect: (tx: Transaction, verification: KeptVerification) => Promise<boolean>,
): Promise<AccountOfPerson> {
  const person = await accounts.database.transaction('account.verify', async (tx) => {
    const verification = await judge(accounts, tx, purpose, typed);
    if (verification && !verification.doneTime) {
      // Thrown here, so that nothing stays of an effect that is not whole.
      if (!(await takesEffect(tx, verification))) throw verificationRefused();
      await concludeVerification(tx, typed.verificationId, new Date(accounts.clock.now()));
    }
    return verification && findPerson(tx, verification.userId);
  });
  if (!person) throw verificationRefused();
  return person;
}

/** The verification, if this is its code; else a failure more, which must be committed. */
async function judge({ clock }: Accounts, tx: Transaction, purpose: VerificationPurpose, { verificationId, code }: TypedCode): Promise<KeptVerification | undefined> {
  const verification = await findVerification(tx, verificationId, purpose, new Date(clock.now()));
  if (!verification || isHashOf(verification.codeHash, normalizeCode(code))) return verification;
  await countFailure(tx, verificationId);
  return undefined;
}

async function takeOfAddress({ limits }: Accounts, { address }: Caller): Promise<void> {
  if (address !== undefined) await limits.take([{ name: 'code tried from address', of: [address] }]);
}

/** The same for a code that is wrong, too old, tried too often, or of nothing: nothing tells which it was. */
function verificationRefused(): MeshError {
  return refusal('VERIFICATION_REFUSED', 'the code is not right, or not any more; type it as it is in the latest mail, or ask for a new one');
}
