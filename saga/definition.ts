import type { Transaction } from '#database';

import type { RetryPolicy } from './retry-policy.ts';

/** What a step gets besides the state. */
export interface StepContext {
  readonly sagaId: string;
  /** Aborts when this try has used up its time, and when this process is about to stop. */
  readonly signal: AbortSignal;
}

/**
 * One step that does something. Both functions may run more than once, also after they took
 * effect and by two processes at once, so both are idempotent: a call keyed by the saga or its
 * subject. What an error does depends on its kind (see step-runner.ts) and on which side of the
 * pivot the step is. A try that got no answer is made again with the same key, never guessed.
 */
export interface ActionStep<State> {
  readonly name: string;
  /** Returns what it learnt, to be merged into the state. */
  action(state: State, context: StepContext): Promise<Partial<State> | void>;
  /** Undoes the action, also one that never happened. Left out where there is nothing to undo. */
  compensate?(state: State, context: StepContext): Promise<void>;
  /** How it is tried again, both ways. What is left out is the definition's, and then {@link USUAL_RETRIES}. */
  readonly retry?: RetryPolicy;
  /** How long one try may take, both ways; then it counts as unanswered. Default 30,000. */
  readonly timeoutMs?: number;
  /**
   * Whether the saga is written down behind this step. Default true. `false` saves that commit:
   * when the process dies before the next one, this step is asked again, by the same key. For
   * steps that are cheap to ask again and then learn the same. What stays true: the pivot is
   * written down before it is run; a saga that turns round after such a death undoes all that
   * may have been run unwritten, so what those steps undo must not need what they have learnt.
   */
  readonly checkpoint?: boolean;
}

/** One step that waits, in the table: no process holds the saga, and restarts do not matter. */
export interface TimerStep<State> {
  readonly name: string;
  /** When it goes on. Asked when the saga gets here; the answer is written down. A time that is past: at once. */
  until(state: State, now: Date): Date;
}

export type SagaStep<State> = ActionStep<State> | TimerStep<State>;

/** Why a saga failed. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
}

export type Outcome = { readonly kind: 'completed' } | { readonly kind: 'failed'; readonly failure: Failure };

/** A saga that is over. */
export interface EndedSaga<State extends object> {
  readonly sagaId: string;
  readonly state: State;
  readonly outcome: Outcome;
  /** W3C traceparent of the request that began it, for the events that announce its end. */
  readonly traceparent: string | undefined;
}

/** A sequence of steps that all take effect or are all undone. `State` is JSON. */
export interface SagaDefinition<State extends object> {
  readonly name: string;
  /**
   * A whole number, default 1. Raise it with every change of the steps, their order or the
   * pivot, and go on registering the old version until none of its sagas is left: a saga ends
   * by the version it began with. One that no process knows waits, and is reported.
   */
  readonly version?: number;
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
  /** How its steps are tried again, where they do not say so themselves. */
  readonly retry?: RetryPolicy;
  /**
   * Writes the outcomes of sagas in the transaction that ends them: those that end at the same
   * moment end together. Should it throw, each ends alone; one that cannot is tried again, as
   * a step of the name `end`, and parked in the end.
   */
  onFinished(tx: Transaction, ended: readonly EndedSaga<State>[]): Promise<void>;
}

/** Index of the pivot among the steps. */
export function pivotOf<State extends object>({ name, steps, pivot }: SagaDefinition<State>): number {
  const index = steps.findIndex((step) => step.name === pivot.step);
  if (index < 0) throw new Error(`saga ${name} has no step ${pivot.step}`);
  return index;
}

export function versionOf({ version = 1 }: { readonly version?: number }): number {
  return version;
}

/** Whether the saga is written down once the step of this index has succeeded. The pivot is never reached unwritten. */
export function isCheckpoint<State extends object>(definition: SagaDefinition<State>, index: number): boolean {
  const step = definition.steps[index];
  return !step || !('checkpoint' in step) || step.checkpoint !== false || index + 1 === pivotOf(definition);
}

/** The furthest step that a process may have run which has written down only that it stands at `from`. */
export function reachOf<State extends object>(definition: SagaDefinition<State>, from: number): number {
  let reach = from;
  while (reach < pivotOf(definition) && !isCheckpoint(definition, reach)) reach += 1;
  return reach;
}
