import { randomUUID } from 'node:crypto';

import { until } from '../../orders.ts';
import type { Shop } from '../../shop-fixture.ts';
import type { Sample, Samples } from './sample.ts';

const PASSWORD = 'correct horse battery';
const NEW_PASSWORD = 'another horse battery';
const MAILED_WITHIN_MS = 20_000;

/** Accounts, sessions and codes. */
export const accountSamples: Samples = {
  'shop.user.v1.AccountService/Register': async (shop) => {
    const accounts = shop.accounts;
    const request = { email: newEmail(), password: PASSWORD, displayName: 'A', requestId: randomUUID() };
    return {
      send: () => accounts.register(request),
      sendOther: () => accounts.register({ ...request, email: newEmail() }),
      books: () => verificationsOf(shop, request.email),
      once: 1,
    };
  },

  'shop.user.v1.AccountService/RequestPasswordReset': async (shop) => {
    const request = { email: newEmail(), requestId: randomUUID() };
    return {
      send: () => shop.accounts.requestPasswordReset(request),
      sendOther: () => shop.accounts.requestPasswordReset({ ...request, email: newEmail() }),
      books: () => verificationsOf(shop, request.email),
      once: 1,
    };
  },

  'shop.user.v1.AccountService/VerifyEmail': async (shop) => {
    const accounts = shop.accounts;
    const email = newEmail();
    const { verification } = await accounts.register({ email, password: PASSWORD, displayName: 'A' });
    const typed = await codeOf(shop, verification?.verificationId);
    return { send: () => accounts.verifyEmail(typed), books: () => accountFactsOf(shop, email), once: { accounts: 1, generations: 0 } };
  },

  'shop.user.v1.AccountService/ResetPassword': async (shop) => {
    const accounts = shop.accounts;
    const email = await newAccount(shop);
    const { verification } = await accounts.requestPasswordReset({ email });
    const reset = { ...(await codeOf(shop, verification?.verificationId)), newPassword: NEW_PASSWORD };
    return { send: () => accounts.resetPassword(reset), books: () => accountFactsOf(shop, email), once: { accounts: 1, generations: 1 } };
  },

  'shop.user.v1.AccountService/Refresh': async (shop) => {
    const accounts = shop.accounts;
    const { sessionId, refreshToken } = await newSession(shop);
    const request = { refreshToken, requestId: randomUUID() };
    return sessionSample(shop, sessionId, () => accounts.refresh(request), { refreshes: 1, isOver: false });
  },

  'shop.user.v1.AccountService/SignOut': async (shop) => {
    const accounts = shop.accounts;
    const { sessionId, refreshToken } = await newSession(shop);
    return sessionSample(shop, sessionId, () => accounts.signOut({ refreshToken }), { refreshes: 0, isOver: true });
  },
};

const newEmail = (): string => `${randomUUID()}@example.com`;

async function codeOf(shop: Shop, verificationId = ''): Promise<{ verificationId: string; code: string }> {
  // The mail's code comes first: made behind ours it would replace it.
  await until('a code is mailed', MAILED_WITHIN_MS, async () => (await issuedOf(shop, verificationId)) || undefined);
  const { code } = await shop.accounts.issueVerificationCode({ verificationId });
  return { verificationId, code };
}

async function issuedOf(shop: Shop, verificationId: string): Promise<number> {
  const text = 'SELECT issued FROM verification WHERE verification_id = $1';
  const [row] = await shop.database('user').query<{ issued: number }>({ name: 'test.issued', text }, [verificationId]);
  return row?.issued ?? 0;
}

/** Returns its address. */
async function newAccount(shop: Shop): Promise<string> {
  const { accounts } = shop;
  const email = newEmail();
  const { verification } = await accounts.register({ email, password: PASSWORD, displayName: 'A' });
  await accounts.verifyEmail(await codeOf(shop, verification?.verificationId));
  return email;
}

async function newSession(shop: Shop): Promise<{ sessionId: string; refreshToken: string }> {
  const { accounts } = shop;
  const { session, tokens } = await accounts.signIn({ email: await newAccount(shop), password: PASSWORD });
  return { sessionId: session?.sessionId ?? '', refreshToken: tokens?.refreshToken ?? '' };
}

async function verificationsOf(shop: Shop, email: string): Promise<number> {
  const text = 'SELECT verification_id FROM verification WHERE email_key = $1';
  return (await shop.database('user').query({ name: 'test.verifications', text }, [email])).length;
}

async function accountFactsOf(shop: Shop, email: string): Promise<unknown> {
  const text = 'SELECT count(*)::integer AS accounts, sum(generation)::integer AS generations FROM account WHERE email_key = $1';
  const [row] = await shop.database('user').query({ name: 'test.account', text }, [email]);
  return row;
}

function sessionSample(shop: Shop, sessionId: string, send: Sample['send'], once: object): Sample {
  const text = `SELECT refreshes::integer, expire_time < refresh_time + interval '1 day' AS "isOver" FROM session WHERE session_id = $1`;
  const books = async (): Promise<unknown> => (await shop.database('user').query({ name: 'test.session', text }, [sessionId]))[0];
  return { send, books, once };
}
