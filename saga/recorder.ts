import type { Tracer } from '@opentelemetry/api';

import { createGroupCommit, type Database, type Queryable, type Transaction } from '#database';
import type { Clock } from '#kit';

import { type Advance, advance } from './advance.ts';
import type { EndedSaga, SagaDefinition } from './definition.ts';
import { outcomeOf, type SagaRow } from './saga-row.ts';

export interface RecorderOptions {
  readonly database: Database;
  readonly tracer: Tracer;
  readonly clock: Clock;
  /** See SagaHooks. */
  readonly withoutFence?: boolean | undefined;
}

/** Writes where sagas stand, together with others that got ready at the same moment. */
export interface Recorder {
  /**
   * Returns where the saga really stands: a cancellation may have turned it round. Undefined
   * when another process has it. One that is over ends in the transaction in which its
   * definition writes the outcome.
   */
  record(definition: SagaDefinition<object>, step: Advance): Promise<SagaRow | undefined>;
}

type Answer = SagaRow | undefined;
type Write = (entry: Advance) => Promise<Answer>;

export function createRecorder({ database, tracer, clock, withoutFence }: RecorderOptions): Recorder {
  const write = (db: Queryable, group: readonly Advance[]): Promise<Answer[]> => advance(db, group, withoutFence);
  const steps: Write = createGroupCommit({ name: 'saga.advance', tracer, clock }, (group: readonly Advance[]) => write(database, group));
  const ends = new Map<SagaDefinition<object>, Write>();

  function endsOf(definition: SagaDefinition<object>): Write {
    const name = `saga.${definition.name}.finish`;
    const found = ends.get(definition) ?? createGroupCommit({ name, tracer, clock }, (group) => database.transaction(name, (tx) => end(tx, definition, group)));
    ends.set(definition, found);
    return found;
  }

  async function end(tx: Transaction, definition: SagaDefinition<object>, group: readonly Advance[]): Promise<Answer[]> {
    const written = await write(tx, group);
    const ended = written.flatMap((saga) => endedOf(saga) ?? []);
    if (ended.length > 0) await definition.onFinished(tx, ended);
    return written;
  }

  return {
    record(definition, { saga, ...how }) {
      if (!outcomeOf(saga)) return steps({ ...how, saga });
      // What went wrong on the way is in its history.
      const ended = { ...how, saga: { ...saga, attempt: 0, refusals: 0, lastError: null } };
      return isWrittenByHand(definition, saga) ? steps(ended) : endsOf(definition)(ended);
    },
  };
}

/** An operator has said that what its end writes was written by hand. */
function isWrittenByHand({ steps }: SagaDefinition<object>, { step }: SagaRow): boolean {
  return step < -1 || step > steps.length;
}

function endedOf(saga: SagaRow | undefined): EndedSaga<object> | undefined {
  const outcome = saga && outcomeOf(saga);
  return saga && outcome && { sagaId: saga.sagaId, state: saga.state, outcome, traceparent: saga.traceParent ?? undefined };
}
