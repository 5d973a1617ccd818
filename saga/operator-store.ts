import type { Queryable, Statement } from '#database';
import type { PageRequest } from '#kit';

import type { Failure } from './definition.ts';
import type { SagaRow, SagaStatus } from './saga-row.ts';
import { fromRow, SAGA_DUE, type Stored } from './store.ts';

/** RESOLVE: the step was done by hand. SKIP: it was not, and will not be. */
export type InterventionKind = 'RETRY' | 'RESOLVE' | 'SKIP';

/** What an operator did to a stuck saga. */
export interface Intervention {
  readonly kind: InterventionKind;
  /** Index of the step it stood at. */
  readonly step: number;
  readonly who: string;
  readonly why: string;
  /** ISO 8601. */
  readonly time: string;
}

/** A saga as an operator sees it. */
export interface SagaRecord extends Omit<SagaRow, 'state' | 'fence' | 'reach' | 'refusals'> {
  /** Nobody holds it: it waits for its next try or its timer, until `dueTime`. */
  readonly waiting: boolean;
  readonly dueTime: Date;
  /** Oldest first. */
  readonly interventions: readonly Intervention[];
  readonly createTime: Date;
  readonly updateTime: Date;
}

const RECORDS = `SELECT saga_id AS "sagaId", definition, version, subject, status, step, attempt, failure, last_error AS "lastError",
    turned_at AS "turnedAt", wake_time AS "wakeTime", waiting, due_time AS "dueTime", history, trace_parent AS "traceParent",
    create_time AS "createTime", update_time AS "updateTime",
    coalesce((SELECT jsonb_agg(jsonb_build_object('kind', kind, 'step', i.step, 'who', who, 'why', why, 'time', time) ORDER BY time)
      FROM saga_intervention i WHERE i.saga_id = saga.saga_id), '[]') AS interventions
  FROM saga`;

const FIND: Statement = { name: 'saga.find', text: `${RECORDS} WHERE saga_id = $1` };

const LIST = (name: string, only: string): Statement => ({
  name,
  text: `${RECORDS} WHERE ${only} AND ($2::text IS NULL OR saga_id < $2) ORDER BY saga_id DESC LIMIT $3`,
});
// One for each way to look, so that each goes by its index, and by none that it would scan to the end.
const LIST_ALL = LIST('saga.list', '$1::text IS NULL');
const LIST_OF_SUBJECT = LIST('saga.list_of_subject', '(saga_id = $1 OR (subject = $1 AND subject <> saga_id))');
const LIST_BY_STATUS: Readonly<Record<SagaStatus, Statement>> = {
  RUNNING: listOf('RUNNING'),
  COMPENSATING: listOf('COMPENSATING'),
  COMPLETED: listOf('COMPLETED'),
  FAILED: listOf('FAILED'),
  STUCK: listOf('STUCK'),
};

/** The status is part of the text: only so a partial index serves it. */
function listOf(status: SagaStatus): Statement {
  return LIST(`saga.list_${status.toLowerCase()}`, `status = '${status}' AND ($1::text IS NULL OR saga_id = $1 OR subject = $1)`);
}

// A saga that turned round has a failure; its way back is what it is stuck on. The fence
// is raised so that a process which still believes it holds the saga writes nothing.
const UNSTICK = (step: string): string => `UPDATE saga
  SET status = CASE WHEN failure IS NULL THEN 'RUNNING' ELSE 'COMPENSATING' END, waiting = true,
      step = ${step}, attempt = 0, refusals = 0, fence = fence + 1, due_time = clock_timestamp(), update_time = now()
  FROM stuck WHERE saga.saga_id = stuck.saga_id`;

const INTERVENE = (kind: InterventionKind, step: string): Statement => ({
  name: `saga.${kind.toLowerCase()}`,
  text: `WITH stuck AS (SELECT saga_id, step AS stood_at FROM saga
             WHERE saga_id = $1 AND status = 'STUCK' AND ($4::integer IS NULL OR step = $4) FOR UPDATE),
           freed AS (${UNSTICK(step)} RETURNING saga.saga_id, stuck.stood_at),
           noted AS (INSERT INTO saga_intervention (saga_id, kind, step, who, why) SELECT saga_id, '${kind}', stood_at, $2, $3 FROM freed
             RETURNING saga_id)
         SELECT saga_id, pg_notify('${SAGA_DUE}', '') FROM noted`,
});

// Behind the last step, or before the first one, the runner finds nothing more to do but the end; one further, not even that.
const BEYOND = 'CASE WHEN failure IS NULL THEN step + 1 ELSE step - 1 END';

const INTERVENTIONS: Readonly<Record<InterventionKind, Statement>> = {
  RETRY: INTERVENE('RETRY', 'step'),
  RESOLVE: INTERVENE('RESOLVE', BEYOND),
  SKIP: INTERVENE('SKIP', BEYOND),
};

export async function findSaga(db: Queryable, sagaId: string): Promise<SagaRecord | undefined> {
  const [found] = await db.query<Stored<SagaRecord>>(FIND, [sagaId]);
  return found && fromRow(found);
}

/** Newest first (ids are UUIDv7), one more than the page holds. */
export async function listSagas(db: Queryable, { status, subject }: { status?: SagaStatus; subject?: string }, page: PageRequest): Promise<SagaRecord[]> {
  const statement = status ? LIST_BY_STATUS[status] : subject === undefined ? LIST_ALL : LIST_OF_SUBJECT;
  return (await db.query<Stored<SagaRecord>>(statement, [subject ?? null, page.after ?? null, page.size + 1])).map(fromRow);
}

/** Open sagas whose step has failed so often that it is no blink, and the one that has failed most often. */
export interface FailingSagas {
  readonly count: number;
  readonly worst: Pick<SagaRecord, 'sagaId' | 'subject' | 'step' | 'attempt'> & { readonly lastError: Failure };
}

// By the index of what is open: what is finished is not read.
const FAILING: Statement = {
  name: 'saga.failing',
  text: `SELECT count(*) OVER ()::integer AS count, saga_id AS "sagaId", subject, step, attempt, last_error AS "lastError" FROM saga
         WHERE status IN ('RUNNING', 'COMPENSATING') AND attempt >= $1 AND last_error IS NOT NULL ORDER BY attempt DESC, saga_id DESC LIMIT 1`,
};

/** Undefined when there is none that has failed at least `minAttempts` times where it stands. */
export async function findFailing(db: Queryable, minAttempts: number): Promise<FailingSagas | undefined> {
  const [row] = await db.query<{ count: number } & FailingSagas['worst']>(FAILING, [minAttempts]);
  if (!row) return undefined;
  const { count, ...worst } = row;
  return { count, worst };
}

export interface InterventionRequest {
  readonly sagaId: string;
  readonly who: string;
  readonly why: string;
  /** Index of the step it is seen to stand at; left out: wherever it stands. */
  readonly step?: number;
}

/** Frees a STUCK saga and writes down who did it and why; false when it is not STUCK, or stands at another step. */
export async function intervene(db: Queryable, kind: InterventionKind, { sagaId, who, why, step }: InterventionRequest): Promise<boolean> {
  return (await db.query(INTERVENTIONS[kind], [sagaId, who, why, step ?? null])).length === 1;
}
