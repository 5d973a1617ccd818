import { type Code, isOutageCode, MeshError } from '#kit';

import { type ActionStep, pivotOf, type SagaDefinition, type StepContext } from './definition.ts';
import { type RetryPolicy, USUAL_RETRIES } from './retry-policy.ts';
import { type SagaRow, turnStep } from './saga-row.ts';
import type { StepDeadlines } from './step-deadlines.ts';
import { retriesOf } from './step-retries.ts';

/** Codes of a fault, which may pass or stay for ever: as in an outage the step may have taken effect. */
const FAULTS: ReadonlySet<Code> = new Set(['UNKNOWN', 'INTERNAL', 'DATA_LOSS']);

const STEP_TIMEOUT_MS = 30_000;

/** What a step is run with. */
export interface StepSetting {
  readonly deadlines: Pick<StepDeadlines, 'run'>;
  /** Aborts when the process is about to stop: what fails from then on is no failed try. */
  readonly stopping: AbortSignal;
  readonly now: Date;
  /** What holds where a definition says nothing. Default {@link USUAL_RETRIES}. */
  readonly retries?: Required<RetryPolicy>;
  /** Told of each try that failed, for log and span. */
  onFailure(error: MeshError): void;
}

/** Runs the step a saga stands at, once, and returns where the saga stands then. What the step throws goes to `onFailure`. */
export function runStep<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, setting: StepSetting): Promise<SagaRow> {
  return saga.status === 'RUNNING' ? runForward(definition, saga, setting) : runCompensation(definition, saga, setting);
}

async function runForward<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, setting: StepSetting): Promise<SagaRow> {
  const step = definition.steps[saga.step];
  if (!step) return { ...saga, status: 'COMPLETED' };
  try {
    if (!('action' in step)) return atTimer(definition, saga, step.until(stateOf(saga), setting.now), setting.now);
    const learnt = await run(step, saga, setting, (context) => step.action(stateOf(saga), context));
    return behindStep(definition, { ...saga, state: { ...saga.state, ...learnt } });
  } catch (thrown) {
    // A process that stops is no failed try: another one goes on.
    if (setting.stopping.aborted) return saga;
    const error = MeshError.from(thrown);
    setting.onFailure(error);
    return afterFailure(definition, saga, error, setting.retries);
  }
}

/** A saga that comes back to its timer has waited: the database says when it is due. */
function atTimer<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, until: Date, now: Date): SagaRow {
  return saga.wakeTime !== null || until <= now ? behindStep(definition, { ...saga, wakeTime: null }) : { ...saga, wakeTime: until };
}

function behindStep<State extends object>({ steps }: SagaDefinition<State>, saga: SagaRow): SagaRow {
  const step = saga.step + 1;
  return { ...saga, status: step === steps.length ? 'COMPLETED' : 'RUNNING', step, attempt: 0, refusals: 0, lastError: null };
}

/** Where a saga stands after a step failed on its way forward: see {@link SagaDefinition.pivot}. */
function afterFailure<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, error: MeshError, usual?: Required<RetryPolicy>): SagaRow {
  const pivot = pivotOf(definition);
  const retries = retriesOf(definition, saga.step, usual ?? USUAL_RETRIES);
  const again = countFailure(saga, error);
  if (saga.step < pivot) return isRefusal(error) || again.attempt >= retries.maxAttempts ? turnRound(again) : again;
  if (saga.step === pivot && definition.pivot.refusals.includes(error.reason)) return turnRound(again);
  return parkInTheEnd(again, error, retries);
}

/** The refused step is undone too: an earlier try of it, perhaps by a process that died, may have taken effect. */
function turnRound(saga: SagaRow): SagaRow {
  const step = turnStep(saga, saga.step);
  return { ...saga, status: 'COMPENSATING', step, turnedAt: step, attempt: 0, refusals: 0, failure: saga.lastError };
}

async function runCompensation<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, setting: StepSetting): Promise<SagaRow> {
  const step = definition.steps[saga.step];
  if (!step) return { ...saga, status: 'FAILED' };
  try {
    if ('compensate' in step) await run(step, saga, setting, async (context) => step.compensate?.(stateOf(saga), context));
    const before = saga.step - 1;
    return { ...saga, status: before < 0 ? 'FAILED' : 'COMPENSATING', step: before, attempt: 0, refusals: 0, lastError: null };
  } catch (thrown) {
    if (setting.stopping.aborted) return saga;
    const error = MeshError.from(thrown);
    setting.onFailure(error);
    return parkInTheEnd(countFailure(saga, error), error, retriesOf(definition, saga.step, setting.retries ?? USUAL_RETRIES));
  }
}

/** Where a saga stands whose end could not be written: still in front of it, and parked in the end. */
export function afterFailedEnd<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, error: MeshError, usual = USUAL_RETRIES): SagaRow {
  return parkInTheEnd(countFailure(saga, error), error, retriesOf(definition, saga.step, usual));
}

function run<State, T>(
  { timeoutMs = STEP_TIMEOUT_MS }: ActionStep<State>,
  { sagaId }: SagaRow,
  { deadlines }: StepSetting,
  work: (context: StepContext) => Promise<T>,
): Promise<T> {
  return deadlines.run(timeoutMs, (signal) => work({ sagaId, signal }));
}

/** An outage is waited for. What is refused, or fails by a fault, is tried on and then parked for an operator: money or goods are out. */
function parkInTheEnd(saga: SagaRow, { code }: MeshError, { maxFaults, maxRefusals }: Required<RetryPolicy>): SagaRow {
  if (isOutageCode(code) || saga.refusals < (FAULTS.has(code) ? maxFaults : maxRefusals)) return saga;
  return { ...saga, status: 'STUCK' };
}

function countFailure(saga: SagaRow, error: MeshError): SagaRow {
  const { reason, message } = error;
  return { ...saga, attempt: saga.attempt + 1, refusals: saga.refusals + (isOutageCode(error.code) ? 0 : 1), lastError: { reason, message } };
}

function isRefusal({ code }: MeshError): boolean {
  return !isOutageCode(code) && !FAULTS.has(code);
}

function stateOf<State extends object>(saga: SagaRow): State {
  // The state was written by the same definition and version, typed; the table knows it as JSON only.
  return saga.state as State;
}
