import { randomUUID } from 'node:crypto';

import { AccountService } from '#proto/shop/user/v1/account_pb.js';

import type { InProcessShop } from './in-process-shop.ts';

const PASSWORD = 'correct horse battery';

/** Somebody who is signed in. */
export interface Person {
  readonly userId: string;
  readonly token: string;
}

/** Registers somebody, and signs in; a role is given as an operator would give it. */
export async function signUp({ guarded, database }: InProcessShop, ...roles: string[]): Promise<Person> {
  const accounts = guarded.stub(AccountService, '');
  const email = `${randomUUID()}@example.com`;
  const { verification } = await accounts.register({ email, password: PASSWORD, displayName: 'Somebody' });
  const verificationId = verification?.verificationId ?? '';
  const { code } = await guarded.stub(AccountService, 'notification').issueVerificationCode({ verificationId });
  const { account } = await accounts.verifyEmail({ verificationId, code });
  const userId = account?.userId ?? '';
  if (roles.length > 0) await database('user').query({ name: 'test.give_roles', text: 'UPDATE account SET roles = $2 WHERE user_id = $1' }, [userId, roles]);
  const { tokens } = await accounts.signIn({ email, password: PASSWORD });
  return { userId, token: tokens?.accessToken ?? '' };
}
