import type { Queryable, Statement, Transaction } from '#database';
import type { Clock } from '#kit';

import { type Account, ACCESS_TOKEN_MS } from './domain.ts';

/** Behind their lifetime, what clocks of two machines may be apart, on either side. */
const MARGIN_MS = 60_000;
const MAX_LISTED = 1_000;

// Sequences are given out under this lock, which lasts until the commit: so they become visible in their order, and whoever
// asks for those behind the last one misses none. It is the last lock that a transaction takes.
const TAKE_TURN: Statement = { name: 'revocation.take_turn', text: `SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.revocation'))` };
const INSERT: Statement = { name: 'revocation.insert', text: 'INSERT INTO revocation (user_id, generation, expire_time) VALUES ($1, $2, $3)' };
const LIST: Statement = {
  name: 'revocation.list',
  text: `SELECT sequence, user_id AS "userId", generation, expire_time AS "expireTime" FROM revocation
         WHERE sequence > $1 AND expire_time > $2 ORDER BY sequence LIMIT ${MAX_LISTED}`,
};

export interface RevocationRow {
  readonly sequence: bigint;
  readonly userId: string;
  readonly generation: bigint;
  readonly expireTime: Date;
}

/** Announces that the access tokens of earlier generations are void. */
export async function announceRevocation(tx: Transaction, { userId, generation }: Pick<Account, 'userId' | 'generation'>, clock: Clock): Promise<void> {
  await tx.query(TAKE_TURN, []);
  await tx.query(INSERT, [userId, generation, new Date(clock.now() + ACCESS_TOKEN_MS + MARGIN_MS)]);
}

export function listRevocations(db: Queryable, afterSequence: bigint, now: Date): Promise<RevocationRow[]> {
  return db.query<RevocationRow>(LIST, [afterSequence, now]);
}
