import type { Failure } from './definition.ts';

/** A step on its way forward or back, with all its tries. */
export interface StepRun {
  readonly step: string;
  readonly compensating: boolean;
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly beginMs: number;
  /** Of the last try. */
  readonly endMs: number;
  /** OPEN: to be tried again. FAILED: the saga turned round at it. */
  readonly result: 'OPEN' | 'DONE' | 'FAILED' | 'STUCK';
  /** Why its last failed try did. */
  readonly error?: Failure;
  /** W3C trace id of its last try; empty when that was not traced. */
  readonly traceId: string;
}

/** As the table keeps it: what is as usual is left out, for the row is written again with each step. */
export interface StoredStepRun {
  readonly step: string;
  readonly at: number;
  readonly ms?: number;
  readonly undo?: true;
  readonly tries?: number;
  readonly result?: StepRun['result'];
  readonly error?: Failure;
  /** Where it is not that of the request which began the saga. */
  readonly trace?: string;
}

export function toStored({ step, compensating, attempts, beginMs, endMs, result, error, traceId }: StepRun, sagaTraceId: string): StoredStepRun {
  return {
    step,
    at: beginMs,
    ...(endMs > beginMs && { ms: endMs - beginMs }),
    ...(compensating && { undo: true }),
    ...(attempts > 1 && { tries: attempts }),
    ...(result !== 'DONE' && { result }),
    ...(error && { error }),
    ...(traceId !== sagaTraceId && { trace: traceId }),
  };
}

export function fromStored({ step, at, ms = 0, undo, tries = 1, result = 'DONE', error, trace }: StoredStepRun, sagaTraceId: string): StepRun {
  return { step, compensating: undo === true, attempts: tries, beginMs: at, endMs: at + ms, result, ...(error && { error }), traceId: trace ?? sagaTraceId };
}

/** The trace id of a W3C traceparent (`00-<trace id>-<span id>-<flags>`); empty when there is none. */
export function traceIdOf(traceParent: string | null): string {
  return traceParent?.split('-')[1] ?? '';
}
