import type { Queryable, Statement } from '#database';

import { isOpen, type SagaRow, turnStep } from './saga-row.ts';
import { toStored, traceIdOf } from './step-run.ts';

/** Where a saga stands now, to be written down. */
export interface Advance {
  readonly saga: SagaRow;
  /** Index of the step that has just been run: there a cancellation that came meanwhile turns the saga round. */
  readonly ran: number;
  /** Lets go of the saga until so long from now; left out: this process keeps it. */
  readonly waitMs?: number | undefined;
}

/** What the database made of it. */
type Written = Pick<SagaRow, 'status' | 'step' | 'attempt' | 'refusals' | 'failure' | 'turnedAt' | 'wakeTime'>;

// Many sagas in one statement, one round trip and one commit; of each, only what its fence
// allows. A cancellation that came meanwhile turns a saga round here; it was only accepted
// before the pivot, so it never meets a completed one. The lease is not touched, so the row
// stays out of the indexes' way (a HOT update); leases.ts renews it where that is needed.
// Two things lead the planner to the primary key, also when it first sees the table empty, and
// keep it there: the LIMIT, which is the size of the group; and an open status said by what it
// is not, for by the words of a partial index it would read all open sagas through that.
const TURNS = `(cancellation IS NOT NULL AND w.status = 'RUNNING')`;
const ADVANCE = (name: string, fence: string): Statement => ({
  name,
  text: `UPDATE saga SET
           status = CASE WHEN ${TURNS} THEN 'COMPENSATING' ELSE w.status END,
           step = CASE WHEN ${TURNS} THEN w.turn_step ELSE w.step END,
           attempt = CASE WHEN ${TURNS} THEN 0 ELSE w.attempt END,
           refusals = CASE WHEN ${TURNS} THEN 0 ELSE w.refusals END,
           turned_at = CASE WHEN ${TURNS} THEN w.turn_step ELSE w.turned_at END,
           wake_time = CASE WHEN ${TURNS} THEN NULL ELSE w.wake_time END,
           failure = coalesce(cancellation, w.failure),
           waiting = w.wait_ms IS NOT NULL AND NOT ${TURNS},
           due_time = CASE WHEN w.wait_ms IS NULL OR ${TURNS} THEN due_time ELSE clock_timestamp() + w.wait_ms * interval '1 millisecond' END,
           state = w.state, last_error = w.last_error, reach = w.reach, history = w.history, update_time = now()
         FROM (SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::integer[], $5::integer[], $6::integer[], $7::integer[], $8::integer[],
             $9::integer[], $10::timestamptz[], $11::jsonb[], $12::jsonb[], $13::jsonb[], $14::jsonb[], $15::float8[])
             WITH ORDINALITY AS given (saga_id, fence, status, step, attempt, refusals, turn_step, turned_at,
             reach, wake_time, state, failure, last_error, history, wait_ms, place) LIMIT $16) AS w
         WHERE saga.saga_id = w.saga_id AND ${fence} AND saga.status NOT IN ('COMPLETED', 'FAILED', 'STUCK')
         RETURNING w.place::integer AS place, saga.status, saga.step, saga.attempt, saga.refusals, saga.failure,
           saga.turned_at AS "turnedAt", saga.wake_time AS "wakeTime"`,
});

const FENCED = ADVANCE('saga.advance', 'saga.fence = w.fence');
const UNFENCED = ADVANCE('saga.advance_unfenced', 'true');

/**
 * Writes where sagas stand and returns, in their order, where they really do: a cancellation
 * may have turned one round. Undefined where another process has the saga, or has ended it:
 * then nothing was written.
 */
export async function advance(db: Queryable, group: readonly Advance[], withoutFence = false): Promise<(SagaRow | undefined)[]> {
  // Always in the same order, so that no two groups wait for each other.
  const sorted = group.toSorted((a, b) => (a.saga.sagaId < b.saga.sagaId ? -1 : 1));
  const rows = await db.query<Written & { place: number }>(withoutFence ? UNFENCED : FENCED, [...columnsOf(sorted), group.length]);
  const written = new Map(rows.map(({ place, ...row }) => [sorted[place - 1], row]));
  return group.map((one) => {
    const row = written.get(one);
    return row && { ...one.saga, ...row };
  });
}

function columnsOf(group: readonly Advance[]): unknown[][] {
  const sagas = group.map(({ saga }) => saga);
  return [
    sagas.map(({ sagaId }) => sagaId),
    sagas.map(({ fence }) => fence),
    sagas.map(({ status }) => status),
    sagas.map(({ step }) => step),
    sagas.map(({ attempt }) => attempt),
    sagas.map(({ refusals }) => refusals),
    group.map(({ saga, ran }) => turnStep(saga, ran)),
    sagas.map(({ turnedAt }) => turnedAt),
    sagas.map(({ reach }) => reach),
    sagas.map(({ wakeTime }) => wakeTime),
    sagas.map(({ state }) => JSON.stringify(state)),
    sagas.map(({ failure }) => failure && JSON.stringify(failure)),
    sagas.map(({ lastError }) => lastError && JSON.stringify(lastError)),
    sagas.map(({ history, traceParent }) => JSON.stringify(history.map((run) => toStored(run, traceIdOf(traceParent))))),
    group.map(({ saga, waitMs }) => (isOpen(saga) ? (waitMs ?? null) : null)),
  ];
}
