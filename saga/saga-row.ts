import type { Failure, Outcome } from './definition.ts';
import type { StepRun } from './step-run.ts';

export type SagaStatus = 'RUNNING' | 'COMPENSATING' | 'COMPLETED' | 'FAILED' | 'STUCK';

/** A saga as the process knows it that holds it. */
export interface SagaRow {
  readonly sagaId: string;
  readonly definition: string;
  readonly version: number;
  /** What it is about, such as the id of an order. */
  readonly subject: string;
  readonly status: SagaStatus;
  /**
   * Index of the step to run next, forward or in reverse. Behind the last step, or before the
   * first, only the end is left to be written; one further, that was done by hand.
   */
  readonly step: number;
  /** Failed tries of that step so far. */
  readonly attempt: number;
  /** Those of them that were no outage. */
  readonly refusals: number;
  readonly state: object;
  /** Why it turned round; null while it has not. */
  readonly failure: Failure | null;
  /** Index of the step at which it turned round; null while it has not. */
  readonly turnedAt: number | null;
  /** Why the last try failed; null once a try succeeded. */
  readonly lastError: Failure | null;
  /** Proof that this process holds the saga; writes under an older one change nothing. */
  readonly fence: bigint;
  /** The furthest step that another process may have run before this one got the saga; -1: none. */
  readonly reach: number;
  /** Until when it waits at a timer; null when it does not. A saga that is claimed with it has waited long enough. */
  readonly wakeTime: Date | null;
  /** What has been done, oldest first. */
  readonly history: readonly StepRun[];
  readonly traceParent: string | null;
}

export function isOpen({ status }: Pick<SagaRow, 'status'>): boolean {
  return status === 'RUNNING' || status === 'COMPENSATING';
}

/** Undefined while it is not over. */
export function outcomeOf({ status, failure }: Pick<SagaRow, 'status' | 'failure'>): Outcome | undefined {
  if (status === 'COMPLETED') return { kind: 'completed' };
  if (status === 'FAILED') return { kind: 'failed', failure: failure ?? { reason: 'INTERNAL', message: 'failed without a reason' } };
  return undefined;
}

/** Where a saga turns round that is at `step`: there, or further on if another process may have got further. */
export function turnStep({ reach }: Pick<SagaRow, 'reach'>, step: number): number {
  return Math.max(step, reach);
}
