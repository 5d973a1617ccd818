import { MeshError } from '#kit';

import { type AccountsBench, ADDRESS_HEADER, newEmail, newRequestId, PASSWORD, rowsOf, startAccounts } from '../../user/accounts/accounts-bench.ts';
import { attempt } from '../attempt.ts';
import { type Attack, refused, succeeded } from '../attack.ts';

const ENDED = { code: 'UNAUTHENTICATED', reason: 'SESSION_ENDED' };
/** More than anybody has of one account from one address, and of one code. */
const GUESSES = 12;
const FORGET_ATTEMPTS = 'DELETE FROM attempt';
/** As if a refresh left the secret as it was. */
const FORGET_REFRESHES = 'UPDATE session SET secret_hash = previous_hash, previous_hash = NULL WHERE previous_hash IS NOT NULL';
const FORGET_FAILURES = 'UPDATE verification SET failures = 0';

/** On the bench, or on another instance beside it that lacks a guard. */
export function sessionAttacks(bench: () => AccountsBench): readonly Attack[] {
  return [
    {
      name: 'refresh-replayed',
      attack: 'a stolen refresh token: the thief uses it first, its owner after him, and the thief goes on',
      must: 'is refused as UNAUTHENTICATED, SESSION_ENDED',
      guard: 'detection of reuse',
      run: (guard) => withInstance(bench(), { hooks: { withoutReuseDetection: guard === 'off' } }, goOnWithStolen),
    },
    {
      name: 'refresh-used-up',
      attack: 'an old refresh token that its owner has used up',
      must: 'is refused as UNAUTHENTICATED, SESSION_ENDED',
      guard: 'a secret that changes with each refresh',
      run: (guard) => replayUsedUp(bench(), guard === 'off'),
    },
    {
      name: 'account-enumeration',
      attack: 'whether an address has an account, told by the cost of a wrong password',
      must: 'cannot be told: both cost one hash',
      guard: 'a decoy for unknown addresses',
      run: (guard) => withInstance(bench(), { withoutDecoy: guard === 'off' }, tellByCost),
    },
    {
      name: 'password-guessing',
      attack: `a password that is right at the ${GUESSES}th guess`,
      must: 'is refused as RESOURCE_EXHAUSTED, TOO_MANY_ATTEMPTS',
      guard: 'a count of attempts',
      run: (guard) => guessPassword(bench(), guard === 'off'),
    },
    {
      name: 'code-guessing',
      attack: `a mailed code that is right at the ${GUESSES}th guess`,
      must: 'is refused as FAILED_PRECONDITION, VERIFICATION_REFUSED',
      guard: 'a count of wrong codes',
      run: (guard) => guessCode(bench(), guard === 'off'),
    },
  ];
}

async function withInstance<T>(beside: AccountsBench, options: Parameters<typeof startAccounts>[0], act: (instance: AccountsBench) => Promise<T>): Promise<T> {
  const instance = await startAccounts({ beside, ...options });
  try {
    return await act(instance);
  } finally {
    await instance.stop();
  }
}

async function newSession(bench: AccountsBench): Promise<string> {
  const email = newEmail();
  await bench.newAccount(email);
  return (await bench.signIn(email)).refreshToken;
}

async function refresh({ accounts }: AccountsBench, refreshToken: string): Promise<string> {
  return (await accounts.refresh({ refreshToken, requestId: newRequestId() })).tokens?.refreshToken ?? '';
}

async function goOnWithStolen(instance: AccountsBench) {
  const stolen = await newSession(instance);
  const ofThief = await refresh(instance, stolen);
  await attempt(refresh(instance, stolen), ENDED);
  return attempt(refresh(instance, ofThief), ENDED);
}

async function replayUsedUp(bench: AccountsBench, withoutGuard: boolean) {
  const old = await newSession(bench);
  await refresh(bench, old);
  if (withoutGuard) await rowsOf(bench, FORGET_REFRESHES);
  return attempt(refresh(bench, old), ENDED);
}

async function tellByCost(instance: AccountsBench) {
  const email = newEmail();
  await instance.newAccount(email);
  const [known, unknown] = [await costOf(instance, email), await costOf(instance, newEmail())];
  return (known === unknown ? refused : succeeded)(`${known} and ${unknown} hashes`);
}

async function costOf(instance: AccountsBench, email: string): Promise<number> {
  const before = instance.hashes();
  await attempt(instance.accounts.signIn({ email, password: 'a wrong one' }), { code: 'UNAUTHENTICATED', reason: 'INVALID_CREDENTIALS' });
  return instance.hashes() - before;
}

async function guessPassword(bench: AccountsBench, withoutGuard: boolean) {
  const email = newEmail();
  await bench.newAccount(email);
  const guess = (password: string): Promise<unknown> => bench.accounts.signIn({ email, password }, { headers: { [ADDRESS_HEADER]: '192.0.2.66' } });
  await guessWrong((number) => guess(`guess ${number}`), bench, withoutGuard ? FORGET_ATTEMPTS : undefined);
  return attempt(guess(PASSWORD), { code: 'RESOURCE_EXHAUSTED', reason: 'TOO_MANY_ATTEMPTS' });
}

async function guessCode(bench: AccountsBench, withoutGuard: boolean) {
  const { accounts } = bench;
  const { verification } = await accounts.register({ email: newEmail(), password: PASSWORD, displayName: 'Some One' });
  const verificationId = verification?.verificationId ?? '';
  const { code } = await accounts.issueVerificationCode({ verificationId });
  await guessWrong((number) => accounts.verifyEmail({ verificationId, code: `guess-${number}` }), bench, withoutGuard ? FORGET_FAILURES : undefined);
  return attempt(accounts.verifyEmail({ verificationId, code }), { code: 'FAILED_PRECONDITION', reason: 'VERIFICATION_REFUSED' });
}

/** All guesses but the last; `forget` takes back what the service has counted. */
async function guessWrong(guess: (number: number) => Promise<unknown>, bench: AccountsBench, forget: string | undefined): Promise<void> {
  for (let number = 1; number < GUESSES; number += 1) {
    const failed = await guess(number).then(() => undefined, MeshError.from);
    if (!failed) throw new Error('a wrong guess was taken');
    if (forget !== undefined) await rowsOf(bench, forget);
  }
}
