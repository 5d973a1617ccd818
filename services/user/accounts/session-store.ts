import type { Queryable, Statement, Transaction } from '#database';

import { type Account, MAX_SESSIONS, type Session } from './domain.ts';
import { hashesOf, type RefreshToken } from './refresh-token.ts';
import { sha256 } from './sha256.ts';

const SESSION = `session_id AS "sessionId", session.user_id AS "userId", session.create_time AS "createTime", refresh_time AS "refreshTime",
  session.expire_time AS "expireTime", refreshes`;
const ACCOUNT = `password_hash AS "passwordHash", roles, generation`;

// The account's row is locked, so that a session either sees a password that is set meanwhile, or is seen by whoever sets it
// and ends all sessions. The attempts that led here are given back. MAX_SESSIONS counts this one, which the OFFSET does not see.
const INSERT: Statement = {
  name: 'session.insert',
  text: `WITH owner AS (SELECT user_id FROM account WHERE user_id = $2 AND password_hash = $3 FOR SHARE),
         forgiven AS (DELETE FROM attempt WHERE key = $8),
         crowded AS (
           DELETE FROM session WHERE session_id IN (SELECT session_id FROM session WHERE user_id = $2 ORDER BY refresh_time DESC OFFSET ${MAX_SESSIONS - 1}))
         INSERT INTO session (session_id, user_id, selector_hash, secret_hash, create_time, refresh_time, expire_time)
         SELECT $1, user_id, $4, $5, $6, $6, $7 FROM owner RETURNING ${SESSION}`,
};
// Nearly every refresh is this statement and no other: the token that is good becomes the one before.
const ROTATE: Statement = {
  name: 'session.rotate',
  text: `UPDATE session SET previous_hash = secret_hash, secret_hash = $3, salt = $4, request_hash = $5,
           refreshes = refreshes + 1, refresh_time = $6, expire_time = $7
         FROM account WHERE account.user_id = session.user_id AND selector_hash = $1 AND secret_hash = $2 AND session.expire_time > $6
         RETURNING ${SESSION}, ${ACCOUNT}`,
};
const FIND: Statement = {
  name: 'session.find',
  text: `SELECT ${SESSION}, ${ACCOUNT}, secret_hash AS "secretHash", previous_hash AS "previousHash", salt, request_hash AS "requestHash"
         FROM session JOIN account USING (user_id) WHERE selector_hash = $1 AND session.expire_time > $2`,
};
const LIST: Statement = {
  name: 'session.list',
  text: `SELECT ${SESSION} FROM session WHERE user_id = $1 AND expire_time > $2 ORDER BY refresh_time DESC LIMIT ${MAX_SESSIONS}`,
};
const END: Statement = { name: 'session.end', text: `DELETE FROM session WHERE session_id = $1 RETURNING session_id` };
// Not deleted here, so that the same request again finds what it has ended; it is swept within a minute.
const END_BY_TOKEN: Statement = {
  name: 'session.end_by_token',
  text: `UPDATE session SET expire_time = least(expire_time, $2) WHERE selector_hash = $1 RETURNING ${SESSION}`,
};
const END_ALL: Statement = { name: 'session.end_all', text: 'DELETE FROM session WHERE user_id = $1' };

export interface NewSession {
  readonly sessionId: string;
  readonly token: RefreshToken;
  readonly now: Date;
  readonly expireTime: Date;
  /** The limit that a right password gives back; empty: none. */
  readonly forgives: string;
}

/** Begins a session; undefined when the account is gone, or has another password than the one that was checked. */
export async function insertSession(db: Queryable, { userId, passwordHash }: Account, session: NewSession): Promise<Session | undefined> {
  const { sessionId, token, now, expireTime, forgives } = session;
  const { selectorHash, secretHash } = hashesOf(token);
  const [row] = await db.query<Session>(INSERT, [sessionId, userId, passwordHash, selectorHash, secretHash, now, expireTime, forgives]);
  return row;
}

export type SessionOfAccount = Session & Account;

export interface Rotation {
  readonly given: RefreshToken;
  readonly next: RefreshToken;
  readonly salt: Uint8Array;
  readonly requestId: string;
  readonly now: Date;
  readonly expireTime: Date;
}

/** Puts the next token in the place of the given one; undefined unless that is good. */
export async function rotateSession(db: Queryable, { given, next, salt, requestId, now, expireTime }: Rotation): Promise<SessionOfAccount | undefined> {
  const { selectorHash, secretHash } = hashesOf(given);
  const values = [selectorHash, secretHash, hashesOf(next).secretHash, salt, sha256(requestId), now, expireTime];
  const [row] = await db.query<SessionOfAccount>(ROTATE, values);
  return row;
}

/** A session with what is kept of its tokens. */
export interface KeptSession extends SessionOfAccount {
  readonly secretHash: Uint8Array;
  /** This and the following are null until it was refreshed. */
  readonly previousHash: Uint8Array | null;
  readonly salt: Uint8Array | null;
  readonly requestHash: Uint8Array | null;
}

/** By the part of a token that names it. */
export async function findSession(db: Queryable, token: RefreshToken, now: Date): Promise<KeptSession | undefined> {
  const [row] = await db.query<KeptSession>(FIND, [hashesOf(token).selectorHash, now]);
  return row;
}

export function listSessions(db: Queryable, userId: string, now: Date): Promise<Session[]> {
  return db.query<Session>(LIST, [userId, now]);
}

/** False when it is over already. */
export async function endSession(db: Queryable, sessionId: string): Promise<boolean> {
  return (await db.query(END, [sessionId])).length === 1;
}

/** Also by a token that was used up: nothing is lost by ending its session. Undefined when there is none, or not any more. */
export async function endSessionOf(db: Queryable, token: RefreshToken, now: Date): Promise<Session | undefined> {
  const [row] = await db.query<Session>(END_BY_TOKEN, [hashesOf(token).selectorHash, now]);
  return row;
}

/** Only behind a statement that has changed the account's row: see INSERT. */
export async function endAllSessions(tx: Transaction, userId: string): Promise<void> {
  await tx.query(END_ALL, [userId]);
}
