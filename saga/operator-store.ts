import type { Queryable, Statement } from '#database';
import type { PageRequest } from '#kit';

import type { SagaRow, SagaStatus } from './store.ts';

export type InterventionKind = 'RETRY' | 'RESOLVE';

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
export interface SagaRecord extends Omit<SagaRow, 'state' | 'fence'> {
  /** Index of the step at which it turned round; null while it has not. */
  readonly turnedAt: number | null;
  /** Oldest first. */
  readonly interventions: readonly Intervention[];
  readonly createTime: Date;
  readonly updateTime: Date;
}

const RECORDS = `SELECT saga_id AS "sagaId", definition, subject, status, step, attempt, failure, last_error AS "lastError",
    turned_at AS "turnedAt", trace_parent AS "traceParent", create_time AS "createTime", update_time AS "updateTime",
    coalesce((SELECT jsonb_agg(jsonb_build_object('kind', kind, 'step', i.step, 'who', who, 'why', why, 'time', time) ORDER BY time)
      FROM saga_intervention i WHERE i.saga_id = saga.saga_id), '[]') AS interventions
  FROM saga`;

const FIND: Statement = { name: 'saga.find', text: `${RECORDS} WHERE saga_id = $1` };
const LIST: Statement = {
  name: 'saga.list',
  text: `${RECORDS} WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR subject = $2) AND ($3::text IS NULL OR saga_id < $3)
         ORDER BY saga_id DESC LIMIT $4`,
};

// A saga that turned round has a failure; its way back is what it is stuck on. The fence
// is raised so that a process which still believes it holds the saga writes nothing.
const UNSTICK = (step: string): string => `UPDATE saga
  SET status = CASE WHEN failure IS NULL THEN 'RUNNING' ELSE 'COMPENSATING' END,
      step = ${step}, attempt = 0, refusals = 0, fence = fence + 1, due_time = clock_timestamp(), update_time = now()
  FROM stuck WHERE saga.saga_id = stuck.saga_id`;

const INTERVENE = (kind: InterventionKind, step: string): Statement => ({
  name: `saga.${kind.toLowerCase()}`,
  text: `WITH stuck AS (SELECT saga_id, step AS stood_at FROM saga
             WHERE saga_id = $1 AND status = 'STUCK' AND ($4::integer IS NULL OR step = $4) FOR UPDATE),
           freed AS (${UNSTICK(step)} RETURNING saga.saga_id, stuck.stood_at)
         INSERT INTO saga_intervention (saga_id, kind, step, who, why) SELECT saga_id, '${kind}', stood_at, $2, $3 FROM freed
         RETURNING saga_id`,
});

const INTERVENTIONS: Readonly<Record<InterventionKind, Statement>> = {
  RETRY: INTERVENE('RETRY', 'step'),
  // Behind the last step, or before the first one, the runner finds nothing more to do and ends the saga.
  RESOLVE: INTERVENE('RESOLVE', 'CASE WHEN failure IS NULL THEN step + 1 ELSE step - 1 END'),
};

export async function findSaga(db: Queryable, sagaId: string): Promise<SagaRecord | undefined> {
  const [found] = await db.query<SagaRecord>(FIND, [sagaId]);
  return found;
}

/** Newest first (ids are UUIDv7), one more than the page holds. */
export function listSagas(db: Queryable, only: { status?: SagaStatus; subject?: string }, page: PageRequest): Promise<SagaRecord[]> {
  return db.query<SagaRecord>(LIST, [only.status ?? null, only.subject ?? null, page.after ?? null, page.size + 1]);
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
