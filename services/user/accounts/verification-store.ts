import type { Queryable, Statement, Transaction } from '#database';

import { MAX_CODES, MAX_FAILURES, type Verification } from './domain.ts';

const COLUMNS = `verification_id AS "verificationId", purpose, user_id AS "userId", email, email_key AS "emailKey",
  display_name AS "displayName", password_hash AS "passwordHash"`;

const INSERT: Statement = {
  name: 'verification.insert',
  text: `INSERT INTO verification (verification_id, purpose, user_id, email, email_key, display_name, password_hash, create_time, expire_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
};
const ISSUE: Statement = {
  name: 'verification.issue',
  text: `UPDATE verification SET issued = issued + 1, code_hash = $2, code_expire_time = $4
         WHERE verification_id = $1 AND purpose <> 'NOBODY' AND done_time IS NULL AND expire_time > $3 AND issued < ${MAX_CODES} RETURNING ${COLUMNS}`,
};
// Locked, so that of many codes that are tried at once each is counted.
const FIND: Statement = {
  name: 'verification.find',
  text: `SELECT ${COLUMNS}, code_hash AS "codeHash", done_time AS "doneTime" FROM verification
         WHERE verification_id = $1 AND purpose = $2 AND failures < ${MAX_FAILURES} AND (code_expire_time > $3 OR done_time IS NOT NULL) FOR UPDATE`,
};
const COUNT_FAILURE: Statement = { name: 'verification.count_failure', text: 'UPDATE verification SET failures = failures + 1 WHERE verification_id = $1' };
// What it was kept for is done; of the person nothing stays here.
const CONCLUDE: Statement = {
  name: 'verification.conclude',
  text: `UPDATE verification SET done_time = $2, password_hash = NULL, email = '', email_key = '', display_name = ''
         WHERE verification_id = $1`,
};
const DELETE_OF: Statement = { name: 'verification.delete_of', text: 'DELETE FROM verification WHERE user_id = $1' };

export async function insertVerification(tx: Transaction, verification: Verification, now: Date, expireTime: Date): Promise<void> {
  const { verificationId, purpose, userId, email, emailKey, displayName, passwordHash } = verification;
  await tx.query(INSERT, [verificationId, purpose, userId, email, emailKey, displayName, passwordHash, now, expireTime]);
}

export interface IssuedCode {
  readonly codeHash: Uint8Array;
  readonly expireTime: Date;
}

/** Puts a code in the place of the one before; undefined when there is nothing to send, or not any more. */
export async function issueCode(db: Queryable, verificationId: string, code: IssuedCode, now: Date): Promise<Verification | undefined> {
  const [row] = await db.query<Verification>(ISSUE, [verificationId, code.codeHash, now, code.expireTime]);
  return row;
}

export interface KeptVerification extends Verification {
  readonly codeHash: Uint8Array | null;
  /** Null until it has had its effect. */
  readonly doneTime: Date | null;
}

/** Undefined when no code of it is good any more. */
export async function findVerification(tx: Transaction, id: string, purpose: Verification['purpose'], now: Date): Promise<KeptVerification | undefined> {
  const [row] = await tx.query<KeptVerification>(FIND, [id, purpose, now]);
  return row;
}

export async function countFailure(tx: Transaction, verificationId: string): Promise<void> {
  await tx.query(COUNT_FAILURE, [verificationId]);
}

/** Notes that it has had its effect. */
export async function concludeVerification(tx: Transaction, verificationId: string, now: Date): Promise<void> {
  await tx.query(CONCLUDE, [verificationId, now]);
}

export async function deleteVerificationsOf(tx: Transaction, userId: string): Promise<void> {
  await tx.query(DELETE_OF, [userId]);
}
