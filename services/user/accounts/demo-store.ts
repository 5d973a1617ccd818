import type { Statement, Transaction } from '#database';

import type { DemoAccount } from './demo-accounts.ts';
import type { Account } from './domain.ts';
import { emailKeyOf } from './email-key.ts';

// Who has deleted the account has left a user without address and name.
const PERSON: Statement = {
  name: 'demo.person',
  text: `INSERT INTO users (user_id, email, display_name, create_time) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET email = excluded.email, display_name = excluded.display_name WHERE users.email = ''`,
};
// Another instance may be about the same. Tokens of an account that was here before stay void, and new ones are good.
const ACCOUNT: Statement = {
  name: 'demo.account',
  text: `INSERT INTO account (user_id, email_key, password_hash, roles, create_time, generation)
         VALUES ($1, $2, $3, $4, $5, coalesce((SELECT max(generation) FROM revocation WHERE user_id = $1), 0)) ON CONFLICT DO NOTHING`,
};
const DELETE: Statement = { name: 'demo.delete', text: `DELETE FROM account WHERE user_id = ANY ($1) RETURNING user_id AS "userId", generation` };

/** Writes the account and whose it is, where they are not there. */
export async function insertDemoAccount(tx: Transaction, { userId, email, displayName, roles }: DemoAccount, passwordHash: string, createTime: Date): Promise<void> {
  await tx.query(PERSON, [userId, email, displayName, createTime]);
  await tx.query(ACCOUNT, [userId, emailKeyOf(email), passwordHash, roles, createTime]);
}

/** Deletes the accounts of these users, with their sessions; returns those that there were. */
export function deleteDemoAccounts(tx: Transaction, userIds: readonly string[]): Promise<Pick<Account, 'userId' | 'generation'>[]> {
  return tx.query<Pick<Account, 'userId' | 'generation'>>(DELETE, [userIds]);
}
