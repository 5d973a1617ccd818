import type { Transaction } from '#database';

/** What a step gets besides the state. */
export interface StepContext {
  readonly sagaId: string;
  /** Aborts when this process is about to stop. */
  readonly signal: AbortSignal;
}

/**
 * One step. Both functions may run more than once, also after they took effect, so both
 * are idempotent. An error whose code another try may cure (see `isTransient`) is tried
 * again; what any other error does depends on which side of the pivot the step is.
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
   * Name of the step that decides (the pivot transaction of Garcia-Molina's and
   * Salem's sagas, in Richardson's words). Before it, a step that is refused, or that
   * stays unanswered for long, has everything undone; so does the pivot when it is
   * refused. Unanswered it is asked for ever, since it may have taken effect. After it
   * there is no way back: a step that is refused again and again parks the saga.
   */
  readonly pivot: string;
  /** Writes the outcome in the transaction that ends the saga. */
  onFinished(tx: Transaction, sagaId: string, state: State, outcome: Outcome): Promise<void>;
}

/** Index of the pivot among the steps. */
export function pivotOf<State extends object>({ name, steps, pivot }: SagaDefinition<State>): number {
  const index = steps.findIndex((step) => step.name === pivot);
  if (index < 0) throw new Error(`saga ${name} has no step ${pivot}`);
  return index;
}
