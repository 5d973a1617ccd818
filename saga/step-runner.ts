import { type Code, MeshError } from '#kit';

import { type Failure, pivotOf, type SagaDefinition, type StepContext } from './definition.ts';
import type { SagaRow } from './store.ts';

/** Tries of a step that stays unanswered before its saga turns round. They wait 0.1, 0.2, 0.4 … 5 s: about a minute in all. */
export const MAX_ATTEMPTS = 20;

/** Tries of a step that is refused where there is no other way, before its saga is parked: about ten seconds. */
export const MAX_REFUSALS = 8;

/** Codes that another try may cure: the step may or may not have taken effect. */
const TRANSIENT: ReadonlySet<Code> = new Set(['CANCELLED', 'UNKNOWN', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'ABORTED', 'INTERNAL', 'UNAVAILABLE']);

export function isTransient(error: MeshError): boolean {
  return TRANSIENT.has(error.code);
}

/** Told of each try that failed, for log and span. */
export type OnFailure = (error: MeshError) => void;

/** Runs the step a saga stands at, once, and returns where the saga stands then. What the step throws goes to `onFailure`. */
export function runStep<State extends object>(
  definition: SagaDefinition<State>,
  saga: SagaRow,
  context: StepContext,
  onFailure: OnFailure,
): Promise<SagaRow> {
  return saga.status === 'RUNNING' ? runAction(definition, saga, context, onFailure) : runCompensation(definition, saga, context, onFailure);
}

async function runAction<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, context: StepContext, onFailure: OnFailure): Promise<SagaRow> {
  const step = definition.steps[saga.step];
  if (!step) return { ...saga, status: 'COMPLETED' };
  try {
    const learnt = await step.action(stateOf(saga), context);
    const next = saga.step + 1;
    const status = next === definition.steps.length ? 'COMPLETED' : 'RUNNING';
    return { ...saga, status, step: next, attempt: 0, lastError: null, state: { ...saga.state, ...learnt } };
  } catch (thrown) {
    // A process that stops is no failed try: another one goes on.
    if (context.signal.aborted) return saga;
    const error = MeshError.from(thrown);
    onFailure(error);
    return afterFailure(definition, saga, error);
  }
}

/** Where a saga stands after a step failed on its way forward: see {@link SagaDefinition.pivot}. */
function afterFailure<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, error: MeshError): SagaRow {
  const attempt = saga.attempt + 1;
  const lastError = failureOf(error);
  const pivot = pivotOf(definition);
  const again: SagaRow = { ...saga, attempt, lastError };
  if (saga.step > pivot) return isTransient(error) || attempt < MAX_REFUSALS ? again : { ...again, status: 'STUCK' };
  if (isTransient(error) && (attempt < MAX_ATTEMPTS || saga.step === pivot)) return again;
  // The refused step is undone too: an earlier try of it, perhaps by a process that died, may have taken effect.
  return { ...saga, status: 'COMPENSATING', attempt: 0, lastError, failure: lastError };
}

async function runCompensation<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, context: StepContext, onFailure: OnFailure): Promise<SagaRow> {
  try {
    await definition.steps[saga.step]?.compensate?.(stateOf(saga), context);
    return undoneTo({ ...saga, attempt: 0, lastError: null }, saga.step - 1);
  } catch (thrown) {
    if (context.signal.aborted) return saga;
    const error = MeshError.from(thrown);
    onFailure(error);
    // Money or goods are still out: an outage is waited for, a refusal is tried on and then parked for an operator.
    const attempt = saga.attempt + 1;
    const again: SagaRow = { ...saga, attempt, lastError: failureOf(error) };
    return isTransient(error) || attempt < MAX_REFUSALS ? again : { ...again, status: 'STUCK' };
  }
}

function undoneTo(saga: SagaRow, step: number): SagaRow {
  return step < 0 ? { ...saga, status: 'FAILED', step: 0 } : { ...saga, status: 'COMPENSATING', step };
}

function failureOf({ reason, message }: MeshError): Failure {
  return { reason, message };
}

function stateOf<State extends object>(saga: SagaRow): State {
  // The state was written by the same definition, typed; the table knows it as JSON only.
  return saga.state as State;
}
