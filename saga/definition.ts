import type { Transaction } from '#database';

/** What a step gets besides the state. */
export interface StepContext {
  readonly sagaId: string;
  /** Aborts when this process is about to stop. */
  readonly signal: AbortSignal;
}

/**
 * One step. Both functions may run more than once, also after they took effect, so both
 * are idempotent. A MeshError whose code cannot be cured by trying again
 * (see `isTransient`) fails the saga; any other error is tried again.
 */
export interface SagaStep<State> {
  readonly name: string;
  /** Returns what it learnt, to be merged into the state. */
  action(state: State, context: StepContext): Promise<Partial<State> | void>;
  /**
   * Undoes the action, also one that never happened. Left out where it cannot be undone:
   * then errors that another try may cure are tried again for ever, and never given up.
   */
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
  /** Writes the outcome in the transaction that ends the saga. */
  onFinished(tx: Transaction, sagaId: string, state: State, outcome: Outcome): Promise<void>;
}
