import type { Queryable, Statement } from '#database';

import type { Failure } from './definition.ts';
import type { DefinitionKey } from './registry.ts';
import type { SagaRow } from './saga-row.ts';
import { fromStored, type StepRun, type StoredStepRun, traceIdOf } from './step-run.ts';

/** LISTEN channel that says: some saga is due, look for it. Channels belong to the database, so sagas of another schema may be meant. */
export const SAGA_DUE = 'saga_due';

// Postgres' clock rules leases: those of the instances may differ. And not its now(), which
// is when the transaction began: a lease written at the end of a long one would be short.
const FROM_NOW = (ms: string): string => `clock_timestamp() + ${ms} * interval '1 millisecond'`;

const INSERT: Statement = {
  name: 'saga.insert',
  text: `INSERT INTO saga (saga_id, definition, version, pivot, subject, status, step, attempt, state, fence, due_time, trace_parent)
         SELECT saga_id, definition, version, pivot, subject, 'RUNNING', 0, 0, state, 1, ${FROM_NOW('$8')}, trace_parent
         FROM unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::text[], $6::jsonb[], $7::text[])
           AS given (saga_id, definition, version, pivot, subject, state, trace_parent)`,
};

// Each version by itself, so that the index leads straight to what is due of it, and what
// nobody knows is not even looked at. now() and not clock_timestamp(): only it can bound an
// index scan, and here it is when the statement began.
const CLAIM: Statement = {
  name: 'saga.claim',
  text: `WITH due AS (
           SELECT found.* FROM unnest($3::text[], $4::integer[]) AS known (definition, version) CROSS JOIN LATERAL (
             SELECT saga_id, due_time, waiting FROM saga
             WHERE status IN ('RUNNING', 'COMPENSATING') AND saga.definition = known.definition AND saga.version = known.version AND due_time <= now()
             ORDER BY due_time LIMIT $2 FOR UPDATE SKIP LOCKED) AS found
           ORDER BY due_time LIMIT $2)
         UPDATE saga SET fence = fence + 1, due_time = ${FROM_NOW('$1')}, waiting = false FROM due WHERE saga.saga_id = due.saga_id
         RETURNING saga.saga_id AS "sagaId", definition, version, subject, status, step, attempt, refusals, state, failure,
           turned_at AS "turnedAt", last_error AS "lastError", fence, reach, wake_time AS "wakeTime", history,
           trace_parent AS "traceParent", cancellation, due.waiting AS "wasWaiting"`,
};

// The LIMIT, and the status said so, for the same reasons as in advance.ts.
const RENEW: Statement = {
  name: 'saga.renew',
  text: `UPDATE saga SET due_time = ${FROM_NOW('$3')}
         FROM (SELECT * FROM unnest($1::text[], $2::bigint[]) AS given (saga_id, fence) LIMIT $4) AS held
         WHERE saga.saga_id = held.saga_id AND saga.fence = held.fence AND status NOT IN ('COMPLETED', 'FAILED', 'STUCK')`,
};

// A saga that nobody holds turns round now, not only when it is due: its timer may have days to go.
const CANCEL: Statement = {
  name: 'saga.cancel',
  text: `WITH cancelled AS (
           UPDATE saga SET cancellation = coalesce(cancellation, $3), due_time = CASE WHEN waiting THEN clock_timestamp() ELSE due_time END
           WHERE saga_id = $1 AND status = 'RUNNING' AND step < coalesce(pivot, $2)
           RETURNING waiting)
         SELECT CASE WHEN waiting THEN pg_notify('${SAGA_DUE}', '') END FROM cancelled`,
};

const ANNOUNCE: Statement = { name: 'saga.announce', text: `SELECT pg_notify('${SAGA_DUE}', '')` };

export interface SagaInsert extends DefinitionKey {
  readonly sagaId: string;
  readonly subject: string;
  readonly state: object;
  /** Index of the pivot among the steps of this version. */
  readonly pivot: number;
  readonly traceParent: string | undefined;
}

/** Writes sagas that their writer holds for `leaseMs`, and returns them in their order. */
export async function insertSagas(tx: Queryable, sagas: readonly SagaInsert[], leaseMs: number): Promise<SagaRow[]> {
  if (sagas.length === 0) return [];
  const states = sagas.map(({ state }) => JSON.stringify(state));
  await tx.query(INSERT, [
    sagas.map(({ sagaId }) => sagaId),
    sagas.map(({ definition }) => definition),
    sagas.map(({ version }) => version),
    sagas.map(({ pivot }) => pivot),
    sagas.map(({ subject }) => subject),
    states,
    sagas.map(({ traceParent }) => traceParent ?? null),
    leaseMs,
  ]);
  return sagas.map((saga, index) => asInserted(saga, states[index] ?? '{}'));
}

/** With its state as another process would read it. */
function asInserted({ sagaId, definition, version, subject, traceParent }: SagaInsert, json: string): SagaRow {
  return {
    ...{ sagaId, definition, version, subject, status: 'RUNNING', step: 0, attempt: 0, refusals: 0, failure: null, turnedAt: null, lastError: null },
    ...{ state: JSON.parse(json) as object, fence: 1n, reach: -1, wakeTime: null, history: [], traceParent: traceParent ?? null },
  };
}

/** A saga that this process has just taken. */
export interface Claimed extends SagaRow {
  /** Set when somebody wants it undone. */
  readonly cancellation: Failure | null;
  /** Whoever had it before has let it go; else it died, or hangs, and may have got further than is written. */
  readonly wasWaiting: boolean;
}

/** A row with its history as the table keeps it. */
export type Stored<Row> = Omit<Row, 'history'> & { readonly history: readonly StoredStepRun[]; readonly traceParent: string | null };

export function fromRow<Row extends Stored<object>>(row: Row): Omit<Row, 'history'> & { readonly history: readonly StepRun[] } {
  return { ...row, history: row.history.map((run) => fromStored(run, traceIdOf(row.traceParent))) };
}

/** Takes up to `limit` sagas of these definitions that nobody holds any more. */
export async function claimDue(db: Queryable, known: readonly DefinitionKey[], limit: number, leaseMs: number): Promise<Claimed[]> {
  const values = [leaseMs, limit, known.map(({ definition }) => definition), known.map(({ version }) => version)];
  return (await db.query<Stored<Claimed>>(CLAIM, values)).map(fromRow);
}

/** Holds these sagas for another `leaseMs`. */
export async function renew(db: Queryable, held: readonly Pick<SagaRow, 'sagaId' | 'fence'>[], leaseMs: number): Promise<void> {
  await db.query(RENEW, [held.map(({ sagaId }) => sagaId), held.map(({ fence }) => fence), leaseMs, held.length]);
}

/** Wants a saga undone that has not reached its pivot yet. False when it has, or is not on its way forward any more. */
export async function requestCancellation(db: Queryable, sagaId: string, pivot: number, why: Failure): Promise<boolean> {
  return (await db.query(CANCEL, [sagaId, pivot, JSON.stringify(why)])).length === 1;
}

/** Tells the other instances that a saga is there for them. */
export async function announce(db: Queryable): Promise<void> {
  await db.query(ANNOUNCE, []);
}
