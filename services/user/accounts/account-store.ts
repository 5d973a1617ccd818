import type { Queryable, Statement, Transaction } from '#database';

import type { Account, AccountOfPerson } from './domain.ts';

const COLUMNS = `user_id AS "userId", password_hash AS "passwordHash", roles, generation, account.create_time AS "createTime"`;

const FIND_BY_EMAIL: Statement = { name: 'account.find_by_email', text: `SELECT ${COLUMNS} FROM account WHERE email_key = $1` };
const FIND_PERSON: Statement = {
  name: 'account.find_person',
  text: `SELECT user_id AS "userId", email, display_name AS "displayName", roles, account.create_time AS "createTime"
         FROM account JOIN users USING (user_id) WHERE user_id = $1`,
};
const INSERT: Statement = {
  name: 'account.insert',
  text: `INSERT INTO account (user_id, email_key, password_hash, create_time) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING user_id`,
};
// Whoever begins a session meanwhile waits for this, and then finds that the password it knew is no more.
const SET_PASSWORD: Statement = {
  name: 'account.set_password',
  text: `UPDATE account SET password_hash = $3, generation = generation + 1 WHERE user_id = $1 AND password_hash = $2 RETURNING ${COLUMNS}`,
};
const OVERWRITE_PASSWORD: Statement = {
  name: 'account.overwrite_password',
  text: `UPDATE account SET password_hash = $2, generation = generation + 1 WHERE user_id = $1 RETURNING ${COLUMNS}`,
};
const REHASH: Statement = { name: 'account.rehash', text: 'UPDATE account SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2' };
const RAISE_GENERATION: Statement = {
  name: 'account.raise_generation',
  text: `UPDATE account SET generation = generation + 1 WHERE user_id = $1 RETURNING ${COLUMNS}`,
};
const DELETE: Statement = { name: 'account.delete', text: `DELETE FROM account WHERE user_id = $1 AND password_hash = $2 RETURNING ${COLUMNS}` };
// No address that CreateUser takes is empty, so nobody can become this user again.
const ERASE_PERSON: Statement = { name: 'account.erase_person', text: `UPDATE users SET email = '', display_name = '' WHERE user_id = $1` };

export async function findAccountByEmail(db: Queryable, emailKey: string): Promise<Account | undefined> {
  const [row] = await db.query<Account>(FIND_BY_EMAIL, [emailKey]);
  return row;
}

export async function findPerson(db: Queryable, userId: string): Promise<AccountOfPerson | undefined> {
  const [row] = await db.query<AccountOfPerson>(FIND_PERSON, [userId]);
  return row;
}

export interface NewAccount {
  readonly userId: string;
  readonly emailKey: string;
  readonly passwordHash: string;
  readonly createTime: Date;
}

/** False when the address has an account. */
export async function insertAccount(tx: Transaction, { userId, emailKey, passwordHash, createTime }: NewAccount): Promise<boolean> {
  return (await tx.query(INSERT, [userId, emailKey, passwordHash, createTime])).length === 1;
}

/** Sets another password, and voids the access tokens; undefined when the one before is not the one that was checked. */
export async function setPassword(tx: Transaction, userId: string, checked: string, passwordHash: string): Promise<Account | undefined> {
  const [row] = await tx.query<Account>(SET_PASSWORD, [userId, checked, passwordHash]);
  return row;
}

/** As {@link setPassword}, for somebody who has forgotten the one before; undefined when there is no account. */
export async function overwritePassword(tx: Transaction, userId: string, passwordHash: string): Promise<Account | undefined> {
  const [row] = await tx.query<Account>(OVERWRITE_PASSWORD, [userId, passwordHash]);
  return row;
}

/** Keeps the same password by another hash. */
export async function rehash(db: Queryable, { userId, passwordHash }: Account, hash: string): Promise<void> {
  await db.query(REHASH, [userId, passwordHash, hash]);
}

export async function raiseGeneration(tx: Transaction, userId: string): Promise<Account | undefined> {
  const [row] = await tx.query<Account>(RAISE_GENERATION, [userId]);
  return row;
}

/** With its sessions. Undefined when the password is not the one that was checked. */
export async function deleteAccount(tx: Transaction, { userId, passwordHash }: Account): Promise<Account | undefined> {
  const [row] = await tx.query<Account>(DELETE, [userId, passwordHash]);
  return row;
}

/** Empties address and name of a user, who stays for those whose orders name it. */
export async function erasePerson(tx: Transaction, userId: string): Promise<void> {
  await tx.query(ERASE_PERSON, [userId]);
}
