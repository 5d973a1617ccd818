import type { Queryable, Statement } from '#database';

import type { Failure } from './definition.ts';

export type SagaStatus = 'RUNNING' | 'COMPENSATING' | 'COMPLETED' | 'FAILED' | 'STUCK';

/** A saga as this process holds it. */
export interface SagaRow {
  readonly sagaId: string;
  readonly definition: string;
  /** What it is about, such as the id of an order. */
  readonly subject: string;
  readonly status: SagaStatus;
  /** Index of the step to run next, forward or in reverse. */
  readonly step: number;
  /** Failed tries of that step so far. */
  readonly attempt: number;
  /** Those of them that were no outage. */
  readonly refusals: number;
  readonly state: object;
  /** Why it turned round; null while it has not. */
  readonly failure: Failure | null;
  /** Why the last try failed; null once a try succeeded. */
  readonly lastError: Failure | null;
  /** Proof that this process holds the saga; writes under an older one change nothing. */
  readonly fence: bigint;
  readonly traceParent: string | null;
}

const COLUMNS = `saga_id AS "sagaId", definition, subject, status, step, attempt, refusals, state, failure, last_error AS "lastError",
  fence, trace_parent AS "traceParent"`;

// Postgres' clock rules leases: those of the instances may differ. And not its now(), which
// is when the transaction began: a lease written at the end of a long one would be short.
const FROM_NOW = (ms: string): string => `clock_timestamp() + ${ms} * interval '1 millisecond'`;

const INSERT: Statement = {
  name: 'saga.insert',
  text: `INSERT INTO saga (saga_id, definition, status, step, attempt, state, fence, due_time, trace_parent, subject)
         VALUES ($1, $2, 'RUNNING', 0, 0, $3, 1, ${FROM_NOW('$4')}, $5, $6)
         RETURNING ${COLUMNS}`,
};

// A saga that was cancelled while nobody held it turns round where it stands, instead of taking one more step.
const CLAIM: Statement = {
  name: 'saga.claim',
  text: `UPDATE saga SET fence = fence + 1, due_time = ${FROM_NOW('$1')},
           status = CASE WHEN cancellation IS NULL THEN status ELSE 'COMPENSATING' END,
           attempt = CASE WHEN cancellation IS NOT NULL AND status = 'RUNNING' THEN 0 ELSE attempt END,
           failure = coalesce(cancellation, failure),
           turned_at = coalesce(turned_at, CASE WHEN cancellation IS NOT NULL THEN step END)
         WHERE saga_id IN (
           SELECT saga_id FROM saga
           WHERE status IN ('RUNNING', 'COMPENSATING') AND due_time <= clock_timestamp() AND definition = ANY($3)
           ORDER BY due_time LIMIT $2 FOR UPDATE SKIP LOCKED)
         RETURNING ${COLUMNS}`,
};

// A cancellation that came meanwhile turns the saga round here, at the step that has just
// been run. It was only accepted before the pivot, so it never meets a completed saga.
const ADVANCE: Statement = {
  name: 'saga.advance',
  text: `UPDATE saga SET
           status = CASE WHEN cancellation IS NOT NULL AND $3 = 'RUNNING' THEN 'COMPENSATING' ELSE $3 END,
           step = CASE WHEN cancellation IS NOT NULL AND $3 = 'RUNNING' THEN step ELSE $4 END,
           attempt = CASE WHEN cancellation IS NOT NULL AND $3 = 'RUNNING' THEN 0 ELSE $5 END,
           refusals = CASE WHEN cancellation IS NOT NULL AND $3 = 'RUNNING' THEN 0 ELSE $10 END,
           turned_at = coalesce(turned_at, CASE WHEN $3 = 'COMPENSATING' OR (cancellation IS NOT NULL AND $3 = 'RUNNING') THEN step END),
           failure = coalesce(cancellation, $7),
           state = $6, last_error = $8, due_time = ${FROM_NOW('$9')}, update_time = now()
         WHERE saga_id = $1 AND fence = $2
         RETURNING status, step, attempt, refusals, failure`,
};

const RENEW: Statement = {
  name: 'saga.renew',
  text: `UPDATE saga SET due_time = ${FROM_NOW('$3')}
         FROM unnest($1::text[], $2::bigint[]) AS held (saga_id, fence)
         WHERE saga.saga_id = held.saga_id AND saga.fence = held.fence AND status IN ('RUNNING', 'COMPENSATING')`,
};

const RELEASE: Statement = {
  name: 'saga.release',
  text: `UPDATE saga SET due_time = ${FROM_NOW('$3')} WHERE saga_id = $1 AND fence = $2 AND status IN ('RUNNING', 'COMPENSATING')`,
};

const CANCEL: Statement = {
  name: 'saga.cancel',
  text: `UPDATE saga SET cancellation = coalesce(cancellation, $3)
         WHERE saga_id = $1 AND status = 'RUNNING' AND step < $2
         RETURNING saga_id`,
};

export interface SagaInsert {
  readonly sagaId: string;
  readonly definition: string;
  readonly subject: string;
  readonly state: object;
  readonly traceParent: string | undefined;
}

/** Writes a saga that its writer holds for `leaseMs`. */
export async function insertSaga(tx: Queryable, saga: SagaInsert, leaseMs: number): Promise<SagaRow> {
  const { sagaId, definition, state, traceParent, subject } = saga;
  const rows = await tx.query<SagaRow>(INSERT, [sagaId, definition, JSON.stringify(state), leaseMs, traceParent ?? null, subject]);
  // INSERT … RETURNING returns the row or throws.
  return rows[0] as SagaRow;
}

/** Takes up to `limit` sagas of these definitions that nobody holds any more. */
export function claimDue(db: Queryable, definitions: readonly string[], limit: number, leaseMs: number): Promise<SagaRow[]> {
  return db.query<SagaRow>(CLAIM, [leaseMs, limit, definitions]);
}

/** Writes where the saga stands and returns where it really does: a cancellation may have turned it round. Undefined when another process has it: then nothing was written. */
export async function advance(db: Queryable, saga: SagaRow, leaseMs: number): Promise<SagaRow | undefined> {
  const { sagaId, fence, status, step, attempt, state } = saga;
  const [failure, lastError] = [saga.failure, saga.lastError].map((entry) => entry && JSON.stringify(entry));
  const values = [sagaId, fence, status, step, attempt, JSON.stringify(state), failure, lastError, leaseMs, saga.refusals];
  const [written] = await db.query<Pick<SagaRow, 'status' | 'step' | 'attempt' | 'refusals' | 'failure'>>(ADVANCE, values);
  return written && { ...saga, ...written };
}

/** Holds these sagas for another `leaseMs`. */
export async function renew(db: Queryable, held: readonly SagaRow[], leaseMs: number): Promise<void> {
  await db.query(RENEW, [held.map(({ sagaId }) => sagaId), held.map(({ fence }) => fence), leaseMs]);
}

/** Lets go of a saga: any process may take it, `afterMs` from now. */
export async function release(db: Queryable, { sagaId, fence }: SagaRow, afterMs: number): Promise<void> {
  await db.query(RELEASE, [sagaId, fence, afterMs]);
}

/** Wants a saga undone that has not reached step `pivot` yet. False when it has, or is not on its way forward any more. */
export async function requestCancellation(db: Queryable, sagaId: string, pivot: number, why: Failure): Promise<boolean> {
  return (await db.query(CANCEL, [sagaId, pivot, JSON.stringify(why)])).length === 1;
}
