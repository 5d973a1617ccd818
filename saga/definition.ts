import type { Transaction } from '#database';

/** What a step gets besides the state. */
export interface StepContext {
  readonly sagaId: string;
  /** Aborts when this process is about to stop. */
  readonly signal: AbortSignal;
}

/**
 * One step. Both functions may run more than once, also after they took effect, so both
 * are idempotent. What an error does depends on its kind (see step-runner.ts) and on which
 * side of the pivot the step is.
 */
export interface SagaStep<State> {
  readonly name: string;
  /** Returns what it learnt, to be merged into the state. */
  action(state: State, context: StepContext): Promise<Partial<State> | void>;
  /** Undoes the action, also one that never happened. Left out where there is nothing to undo. */
  compensate?(state: State, context: StepContext): Promise<void>;
}

/** Why a saga failed. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
}

export type Outcome = { readonly kind: 'completed' } | { readonly kind: 'failed'; readonly failure: Failure };

/** A sequence of steps that all take effect or are all undone. `State` is JSON. */
export interface SagaDefinition<State extends object> {
  readonly name: string;
  readonly steps: readonly SagaStep<State>[];
  /**
   * The step that decides (the pivot transaction of Garcia-Molina's and Salem's sagas, in
   * Richardson's words). Before it, a step that is refused, or that stays unanswered for
   * long, has everything undone. After it there is no way back: a step that is refused
   * again and again parks the saga.
   */
  readonly pivot: {
    /** Its name. */
    readonly step: string;
    /**
     * The reasons by which it says for sure that it has not happened and will not: then
     * everything is undone. Whatever else it says, it may have happened at an earlier try:
     * it is asked again, and parks the saga in the end.
     */
    readonly refusals: readonly string[];
  };
  /** Writes the outcome in the transaction that ends the saga. */
  onFinished(tx: Transaction, sagaId: string, state: State, outcome: Outcome): Promise<void>;
}

/** Index of the pivot among the steps. */
export function pivotOf<State extends object>({ name, steps, pivot }: SagaDefinition<State>): number {
  const index = steps.findIndex((step) => step.name === pivot.step);
  if (index < 0) throw new Error(`saga ${name} has no step ${pivot.step}`);
  return index;
}
