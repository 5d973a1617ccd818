import { type Code, MeshError } from '#kit';

import type { SagaDefinition, StepContext } from './definition.ts';
import type { SagaRow } from './store.ts';

/** Tries of one step before its saga is compensated, and of a refused compensation before the saga is parked. */
export const MAX_ATTEMPTS = 20;

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
    return { ...saga, status, step: next, attempt: 0, state: { ...saga.state, ...learnt } };
  } catch (thrown) {
    // A process that stops is no failed try: another one goes on.
    if (context.signal.aborted) return saga;
    const error = MeshError.from(thrown);
    onFailure(error);
    const attempt = saga.attempt + 1;
    // A step that cannot be undone may have happened: giving it up would undo the steps around it.
    if (isTransient(error) && (attempt < MAX_ATTEMPTS || !step.compensate)) return { ...saga, attempt };
    // The refused step is undone too: an earlier try of it, perhaps by a process that died, may have taken effect.
    const failure = { reason: error.reason, message: error.message };
    return { ...saga, status: 'COMPENSATING', attempt: 0, failure };
  }
}

async function runCompensation<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, context: StepContext, onFailure: OnFailure): Promise<SagaRow> {
  try {
    await definition.steps[saga.step]?.compensate?.(stateOf(saga), context);
    return undoneTo(saga, saga.step - 1);
  } catch (thrown) {
    if (context.signal.aborted) return saga;
    const error = MeshError.from(thrown);
    onFailure(error);
    // Money or goods are still out: an outage is waited for, a refusal is tried on and then parked for an operator.
    const attempt = saga.attempt + 1;
    return isTransient(error) || attempt < MAX_ATTEMPTS ? { ...saga, attempt } : { ...saga, attempt, status: 'STUCK' };
  }
}

function undoneTo(saga: SagaRow, step: number): SagaRow {
  return step < 0 ? { ...saga, status: 'FAILED', step: 0, attempt: 0 } : { ...saga, status: 'COMPENSATING', step, attempt: 0 };
}

function stateOf<State extends object>(saga: SagaRow): State {
  // The state was written by the same definition, typed; the table knows it as JSON only.
  return saga.state as State;
}
