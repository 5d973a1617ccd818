import { type Code, MeshError } from '#kit';

import type { SagaDefinition, StepContext } from './definition.ts';
import type { SagaRow } from './store.ts';

/** Tries of one step before its saga is compensated, and of one compensation before the saga is parked. */
export const MAX_ATTEMPTS = 20;

/** Codes that another try may cure: the step may or may not have taken effect. */
const TRANSIENT: ReadonlySet<Code> = new Set(['CANCELLED', 'UNKNOWN', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'ABORTED', 'INTERNAL', 'UNAVAILABLE']);

export function isTransient(error: MeshError): boolean {
  return TRANSIENT.has(error.code);
}

/** Runs the step a saga stands at, once, and returns where the saga stands then. Throws nothing but programming errors. */
export function runStep<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, context: StepContext): Promise<SagaRow> {
  return saga.status === 'RUNNING' ? runAction(definition, saga, context) : runCompensation(definition, saga, context);
}

async function runAction<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, context: StepContext): Promise<SagaRow> {
  const step = definition.steps[saga.step];
  if (!step) return { ...saga, status: 'COMPLETED' };
  try {
    const learnt = await step.action(stateOf(saga), context);
    const next = saga.step + 1;
    const status = next === definition.steps.length ? 'COMPLETED' : 'RUNNING';
    return { ...saga, status, step: next, attempt: 0, state: { ...saga.state, ...learnt } };
  } catch (thrown) {
    const error = MeshError.from(thrown);
    const attempt = saga.attempt + 1;
    if (isTransient(error) && attempt < MAX_ATTEMPTS) return { ...saga, attempt };
    // A step that was refused at its first try did nothing; one tried before, or given up, may have.
    const firstToUndo = saga.attempt > 0 || isTransient(error) ? saga.step : saga.step - 1;
    return compensateFrom(saga, firstToUndo, error);
  }
}

async function runCompensation<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, context: StepContext): Promise<SagaRow> {
  try {
    await definition.steps[saga.step]?.compensate?.(stateOf(saga), context);
    return undoneTo(saga, saga.step - 1);
  } catch {
    // Whatever the reason, money or goods are still out: try on, then park the saga for an operator.
    const attempt = saga.attempt + 1;
    return attempt < MAX_ATTEMPTS ? { ...saga, attempt } : { ...saga, attempt, status: 'STUCK' };
  }
}

function compensateFrom(saga: SagaRow, step: number, error: MeshError): SagaRow {
  return undoneTo({ ...saga, failure: { reason: error.reason, message: error.message } }, step);
}

function undoneTo(saga: SagaRow, step: number): SagaRow {
  return step < 0 ? { ...saga, status: 'FAILED', step: 0, attempt: 0 } : { ...saga, status: 'COMPENSATING', step, attempt: 0 };
}

function stateOf<State extends object>(saga: SagaRow): State {
  // The state was written by the same definition, typed; the table knows it as JSON only.
  return saga.state as State;
}
