import type { SagaRow } from './saga-row.ts';
import type { StepRun } from './step-run.ts';

/** One try of a step. */
export interface StepTry {
  readonly step: string;
  readonly beginMs: number;
  readonly endMs: number;
  readonly traceId: string;
}

/**
 * The newest entries are kept. A saga of four steps has four, eight when it is undone; what
 * operators retry adds one each time. An entry has about 60 bytes in the table, 300 with an
 * error, so this is at most some 20 kB.
 */
export const MAX_HISTORY = 64;

/** `after` with a try in its history that led from `before` to it. */
export function withTry(before: SagaRow, after: SagaRow, { step, beginMs, endMs, traceId }: StepTry): SagaRow {
  const compensating = before.status === 'COMPENSATING';
  const last = before.history.at(-1);
  const isSame = last?.result === 'OPEN' && last.step === step && last.compensating === compensating;
  const earlier = isSame ? before.history.slice(0, -1) : before.history;
  const error = after.attempt > before.attempt || after.status === 'STUCK' ? after.lastError : turned(before, after) ? after.failure : (isSame && last.error) || null;
  const run: StepRun = {
    step,
    compensating,
    // That a timer has run out is no second try of it.
    attempts: (isSame ? last.attempts : 0) + (before.wakeTime === null ? 1 : 0),
    beginMs: isSame ? last.beginMs : beginMs,
    endMs,
    result: resultOf(before, after),
    ...(error && { error }),
    traceId,
  };
  return { ...after, history: [...earlier, run].slice(-MAX_HISTORY) };
}

function resultOf(before: SagaRow, after: SagaRow): StepRun['result'] {
  if (after.status === 'STUCK') return 'STUCK';
  if (turned(before, after)) return 'FAILED';
  // A step that waits for its timer is open, too.
  return after.attempt > before.attempt || after.wakeTime !== null ? 'OPEN' : 'DONE';
}

function turned(before: SagaRow, after: SagaRow): boolean {
  return before.status === 'RUNNING' && after.status === 'COMPENSATING';
}
