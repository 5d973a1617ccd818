import { type Code, MeshError } from '#kit';

import { pivotOf, type SagaDefinition, type StepContext } from './definition.ts';
import type { SagaRow } from './store.ts';

/** Tries of a step that stays unanswered, before the pivot, until its saga turns round. The pauses between are 0.1, 0.2, 0.4 … 5 s. */
export const MAX_ATTEMPTS = 20;

/** Times a step is refused where there is no other way, until its saga is parked: about ten seconds. */
export const MAX_REFUSALS = 8;

/** Times a step fails by a fault of its callee, until its saga is parked: more than a minute, for a fault may pass. */
export const MAX_FAULTS = 20;

/** Codes of an outage, which ends some day: the step may or may not have taken effect. */
const OUTAGES: ReadonlySet<Code> = new Set(['CANCELLED', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'ABORTED', 'UNAVAILABLE']);
/** Codes of a fault, which may pass or stay for ever: here too the step may have taken effect. */
const FAULTS: ReadonlySet<Code> = new Set(['UNKNOWN', 'INTERNAL', 'DATA_LOSS']);

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
    return { ...saga, status, step: next, attempt: 0, refusals: 0, lastError: null, state: { ...saga.state, ...learnt } };
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
  const pivot = pivotOf(definition);
  const again = countFailure(saga, error);
  // The refused step is undone too: an earlier try of it, perhaps by a process that died, may have taken effect.
  const turned: SagaRow = { ...again, status: 'COMPENSATING', attempt: 0, refusals: 0, failure: again.lastError };
  if (saga.step < pivot) return isRefusal(error) || again.attempt >= MAX_ATTEMPTS ? turned : again;
  if (saga.step === pivot && definition.pivot.refusals.includes(error.reason)) return turned;
  return parkInTheEnd(again, error);
}

async function runCompensation<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, context: StepContext, onFailure: OnFailure): Promise<SagaRow> {
  try {
    await definition.steps[saga.step]?.compensate?.(stateOf(saga), context);
    return undoneTo({ ...saga, attempt: 0, refusals: 0, lastError: null }, saga.step - 1);
  } catch (thrown) {
    if (context.signal.aborted) return saga;
    const error = MeshError.from(thrown);
    onFailure(error);
    return parkInTheEnd(countFailure(saga, error), error);
  }
}

/** An outage is waited for. What is refused, or fails by a fault, is tried on and then parked for an operator: money or goods are out. */
function parkInTheEnd(saga: SagaRow, error: MeshError): SagaRow {
  if (OUTAGES.has(error.code) || saga.refusals < (FAULTS.has(error.code) ? MAX_FAULTS : MAX_REFUSALS)) return saga;
  return { ...saga, status: 'STUCK' };
}

function countFailure(saga: SagaRow, error: MeshError): SagaRow {
  const { reason, message } = error;
  return { ...saga, attempt: saga.attempt + 1, refusals: saga.refusals + (OUTAGES.has(error.code) ? 0 : 1), lastError: { reason, message } };
}

function isRefusal({ code }: MeshError): boolean {
  return !OUTAGES.has(code) && !FAULTS.has(code);
}

function undoneTo(saga: SagaRow, step: number): SagaRow {
  return step < 0 ? { ...saga, status: 'FAILED', step: 0 } : { ...saga, status: 'COMPENSATING', step };
}

function stateOf<State extends object>(saga: SagaRow): State {
  // The state was written by the same definition, typed; the table knows it as JSON only.
  return saga.state as State;
}
