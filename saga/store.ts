import type { Queryable, Statement } from '#database';

import type { Failure } from './definition.ts';

export type SagaStatus = 'RUNNING' | 'COMPENSATING' | 'COMPLETED' | 'FAILED' | 'STUCK';

/** A saga as this process holds it. */
export interface SagaRow {
  readonly sagaId: string;
  readonly definition: string;
  readonly status: SagaStatus;
  /** Index of the step to run next, forward or in reverse. */
  readonly step: number;
  /** Tries of that step so far. */
  readonly attempt: number;
  readonly state: object;
  readonly failure: Failure | null;
  /** Proof that this process holds the saga; writes under an older one change nothing. */
  readonly fence: bigint;
  readonly traceParent: string | null;
}

const COLUMNS = `saga_id AS "sagaId", definition, status, step, attempt, state, failure, fence, trace_parent AS "traceParent"`;

const INSERT: Statement = {
  name: 'saga.insert',
  text: `INSERT INTO saga (saga_id, definition, status, step, attempt, state, fence, due_time, trace_parent)
         VALUES ($1, $2, 'RUNNING', 0, 0, $3, 1, now() + $4 * interval '1 millisecond', $5)
         RETURNING ${COLUMNS}`,
};

// Postgres' clock rules leases: those of the instances may differ.
const CLAIM: Statement = {
  name: 'saga.claim',
  text: `UPDATE saga SET fence = fence + 1, due_time = now() + $1 * interval '1 millisecond'
         WHERE saga_id IN (
           SELECT saga_id FROM saga
           WHERE status IN ('RUNNING', 'COMPENSATING') AND due_time <= now() AND definition = ANY($3)
           ORDER BY due_time LIMIT $2 FOR UPDATE SKIP LOCKED)
         RETURNING ${COLUMNS}`,
};

const ADVANCE: Statement = {
  name: 'saga.advance',
  text: `UPDATE saga SET status = $3, step = $4, attempt = $5, state = $6, failure = $7,
           due_time = now() + $8 * interval '1 millisecond', update_time = now()
         WHERE saga_id = $1 AND fence = $2
         RETURNING saga_id`,
};

const RENEW: Statement = {
  name: 'saga.renew',
  text: `UPDATE saga SET due_time = now() + $3 * interval '1 millisecond'
         FROM unnest($1::text[], $2::bigint[]) AS held (saga_id, fence)
         WHERE saga.saga_id = held.saga_id AND saga.fence = held.fence AND status IN ('RUNNING', 'COMPENSATING')`,
};

const RELEASE: Statement = {
  name: 'saga.release',
  text: `UPDATE saga SET due_time = now() WHERE saga_id = $1 AND fence = $2 AND status IN ('RUNNING', 'COMPENSATING')`,
};

export interface NewSaga {
  readonly sagaId: string;
  readonly definition: string;
  readonly state: object;
  readonly traceParent: string | undefined;
}

/** Writes a saga that its writer holds for `leaseMs`. */
export async function insertSaga(tx: Queryable, saga: NewSaga, leaseMs: number): Promise<SagaRow> {
  const rows = await tx.query<SagaRow>(INSERT, [saga.sagaId, saga.definition, JSON.stringify(saga.state), leaseMs, saga.traceParent ?? null]);
  // INSERT … RETURNING returns the row or throws.
  return rows[0] as SagaRow;
}

/** Takes up to `limit` sagas of these definitions that nobody holds any more. */
export function claimDue(db: Queryable, definitions: readonly string[], limit: number, leaseMs: number): Promise<SagaRow[]> {
  return db.query<SagaRow>(CLAIM, [leaseMs, limit, definitions]);
}

/** Writes where the saga stands now. False when another process has taken it over: then nothing was written. */
export async function advance(db: Queryable, saga: SagaRow, leaseMs: number): Promise<boolean> {
  const { sagaId, fence, status, step, attempt, state, failure } = saga;
  const rows = await db.query(ADVANCE, [sagaId, fence, status, step, attempt, JSON.stringify(state), failure && JSON.stringify(failure), leaseMs]);
  return rows.length === 1;
}

/** Holds these sagas for another `leaseMs`. */
export async function renew(db: Queryable, held: readonly SagaRow[], leaseMs: number): Promise<void> {
  await db.query(RENEW, [held.map(({ sagaId }) => sagaId), held.map(({ fence }) => fence), leaseMs]);
}

/** Lets another process take the saga at once. */
export async function release(db: Queryable, { sagaId, fence }: SagaRow): Promise<void> {
  await db.query(RELEASE, [sagaId, fence]);
}
