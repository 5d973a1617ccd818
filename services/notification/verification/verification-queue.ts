import type { Queryable, Statement, Transaction } from '#database';

/** A mail that this process has taken up. */
export interface DueVerification {
  readonly verificationId: string;
  /** From 1. */
  readonly attempt: number;
}

const ENQUEUE: Statement = {
  name: 'verification_mail.enqueue',
  text: 'INSERT INTO verification_mail (verification_id) SELECT id FROM unnest($1::text[]) AS given (id) ORDER BY id ON CONFLICT DO NOTHING',
};
const TAKE: Statement = {
  name: 'verification_mail.take',
  text: `WITH due AS MATERIALIZED (
           SELECT verification_id AS id FROM verification_mail WHERE due_time <= now() ORDER BY due_time LIMIT $1 FOR UPDATE SKIP LOCKED)
         UPDATE verification_mail SET attempt = attempt + 1, due_time = now() + $2 * interval '1 millisecond' FROM due WHERE verification_id = id
         RETURNING verification_id AS "verificationId", attempt`,
};
// Only whoever has it: its lease may be over, and another process at work on it.
const DROP: Statement = { name: 'verification_mail.drop', text: 'DELETE FROM verification_mail WHERE verification_id = $1 AND attempt = $2' };
const PUT_BACK: Statement = {
  name: 'verification_mail.put_back',
  text: `UPDATE verification_mail SET due_time = now() + $3 * interval '1 millisecond' WHERE verification_id = $1 AND attempt = $2`,
};

/** Once for each verification, however often its event comes. */
export async function enqueueVerifications(tx: Transaction, verificationIds: readonly string[]): Promise<void> {
  await tx.query(ENQUEUE, [verificationIds]);
}

export function takeDueVerifications(db: Queryable, limit: number, leaseMs: number): Promise<DueVerification[]> {
  return db.query<DueVerification>(TAKE, [limit, leaseMs]);
}

/** It was sent, or is not to be sent any more. */
export async function dropVerification(db: Queryable, { verificationId, attempt }: DueVerification): Promise<void> {
  await db.query(DROP, [verificationId, attempt]);
}

export async function putBackVerification(db: Queryable, { verificationId, attempt }: DueVerification, afterMs: number): Promise<void> {
  await db.query(PUT_BACK, [verificationId, attempt, Math.ceil(afterMs)]);
}
