import type { Tracer } from '@opentelemetry/api';

import type { Database } from '#database';
import type { Log } from '#kit';
import { failSpan, withSpan } from '#tracing';

import type { Outcome, SagaDefinition } from './definition.ts';
import { runStep } from './step-runner.ts';
import { advance, type SagaRow } from './store.ts';

/** Where a saga is about to do something. */
export interface SagaPoint {
  /** Name of the definition. */
  readonly definition: string;
  readonly step: string;
  readonly compensating: boolean;
}

/** Points at which a test may stop, fail or kill the process. */
export interface SagaHooks {
  beforeStep?(point: SagaPoint): Promise<void> | void;
  /** The step took effect, the saga does not know yet. */
  afterStep?(point: SagaPoint): Promise<void> | void;
}

/** What a step is taken with. */
export interface StepTools {
  readonly tracer: Tracer;
  readonly log: Log;
  readonly hooks?: SagaHooks;
}

/** Runs the step a saga stands at, in a span of its own, and returns where the saga stands then. */
export function takeStep<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, { tracer, log, hooks = {} }: StepTools, signal: AbortSignal): Promise<SagaRow> {
  const { sagaId, subject, attempt } = saga;
  const compensating = saga.status === 'COMPENSATING';
  const point: SagaPoint = { definition: definition.name, step: definition.steps[saga.step]?.name ?? 'end', compensating };
  const name = compensating ? `compensate ${point.step}` : point.step;
  const attributes = { 'shopmesh.saga.id': sagaId, 'shopmesh.saga.subject': subject, 'shopmesh.saga.attempt': attempt + 1 };
  return withSpan(tracer, `saga ${name}`, { attributes }, async (span) => {
    await hooks.beforeStep?.(point);
    const next = await runStep(definition, saga, { sagaId, signal }, (err) => {
      failSpan(span, err);
      log.warn({ err, saga: sagaId, step: name, attempt: attempt + 1 }, 'step failed');
    });
    await hooks.afterStep?.(point);
    return next;
  });
}

/**
 * Writes where a saga stands, its end together with what its definition writes then, and
 * returns where it really stands: a cancellation may have turned it round. Undefined when
 * another process has it.
 */
export async function record<State extends object>(database: Database, definition: SagaDefinition<State>, saga: SagaRow, leaseMs: number): Promise<SagaRow | undefined> {
  const outcome = outcomeOf(saga);
  if (!outcome) return advance(database, saga, leaseMs);
  return database.transaction(`saga.${definition.name}.finish`, async (tx) => {
    const written = await advance(tx, saga, leaseMs);
    // The definition that wrote the state reads it.
    if (written) await definition.onFinished(tx, saga.sagaId, saga.state as State, outcome);
    return written;
  });
}

/** Undefined while it is not over. */
export function outcomeOf({ status, failure }: SagaRow): Outcome | undefined {
  if (status === 'COMPLETED') return { kind: 'completed' };
  if (status === 'FAILED') return { kind: 'failed', failure: failure ?? { reason: 'INTERNAL', message: 'failed without a reason' } };
  return undefined;
}
