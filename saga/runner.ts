import { context, type Tracer } from '@opentelemetry/api';

import type { Database, Queryable } from '#database';
import { backoffMs, type Clock, type Log, type Random, type Stoppable } from '#kit';
import { currentTraceparent, extractContext, failSpan, withSpan } from '#tracing';

import type { Outcome, SagaDefinition } from './definition.ts';
import { loop } from './loop.ts';
import { runStep } from './step-runner.ts';
import { advance, claimDue, insertSaga, release, renew, type SagaRow } from './store.ts';

/** Points at which a test may stop, fail or kill the process. */
export interface SagaHooks {
  beforeStep?(definition: string, step: string): Promise<void> | void;
  /** The step took effect, the saga does not know yet. */
  afterStep?(definition: string, step: string): Promise<void> | void;
}

export interface SagaRunnerOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly tracer: Tracer;
  readonly hooks?: SagaHooks;
  /** How long a saga stays with a process that died. Default 5,000: taken over after at most that and one poll. */
  readonly leaseMs?: number;
  /** How often to look for sagas that nobody holds. Default 500. */
  readonly pollMs?: number;
  /** How many sagas of others this process runs at once; those begun here are its callers' business. Default 32. */
  readonly concurrency?: number;
}

/** A saga written but not yet running. */
export interface BegunSaga {
  /** Call once its transaction has committed. Resolves with the outcome, or undefined when this process did not finish it. */
  run(): Promise<Outcome | undefined>;
}

export interface SagaRunner<State extends object> extends Stoppable {
  /** Writes a saga in the caller's transaction. If the process dies before `run`, any instance takes it over. */
  begin(tx: Queryable, sagaId: string, state: State): Promise<BegunSaga>;
  /** Takes over sagas that are due from now on. */
  start(): void;
}

/** Runs the sagas of one definition, those begun here and those whose process died. */
export function createSagaRunner<State extends object>(definition: SagaDefinition<State>, options: SagaRunnerOptions): SagaRunner<State> {
  const { database, clock, random, log, leaseMs = 5_000, pollMs = 500, concurrency = 32 } = options;
  /** The sagas this process holds, as it last wrote them. */
  const held = new Map<string, SagaRow>();
  const running = new Set<Promise<unknown>>();
  let takenOver = 0;
  const stopping = new AbortController();
  const { signal } = stopping;
  let loops: Promise<unknown> = Promise.resolve();

  function run(saga: SagaRow): Promise<Outcome | undefined> {
    const done = drive(saga)
      .catch((err: unknown) => {
        log.error({ err, saga: saga.sagaId }, 'saga interrupted; it is taken up again when its lease runs out');
        return undefined;
      })
      .finally(() => {
        // After a lapsed lease this process may have taken the saga over from itself, under a higher fence.
        if (held.get(saga.sagaId)?.fence === saga.fence) held.delete(saga.sagaId);
        running.delete(done);
      });
    running.add(done);
    return done;
  }

  /** Runs steps until the saga is over, parked, lost to another process, or this process stops. */
  async function drive(begun: SagaRow): Promise<Outcome | undefined> {
    // The steps belong to the trace of the request that began the saga, whoever runs them, and outlive its deadline.
    const parent = extractContext({ traceparent: begun.traceParent ?? undefined });
    let saga = begun;
    while (isOpen(saga)) {
      held.set(saga.sagaId, saga);
      if (signal.aborted) {
        await release(database, saga);
        return undefined;
      }
      const next = await context.with(parent, moveOn, undefined, saga);
      if (!next) return undefined;
      saga = next;
      if (saga.attempt > 0) await clock.sleep(backoffMs(saga.attempt, 100, 5_000, random), signal).catch(() => {});
    }
    if (saga.status === 'STUCK') log.error({ saga: saga.sagaId, failure: saga.failure }, 'saga parked: its compensation keeps failing');
    return outcomeOf(saga);
  }

  /** Runs one step and writes where the saga stands then; undefined when another process has it. */
  async function moveOn(saga: SagaRow): Promise<SagaRow | undefined> {
    const next = await takeStep(definition, saga, options, signal);
    if (await record(database, definition, next, leaseMs)) return next;
    log.warn({ saga: saga.sagaId }, 'another process took the saga over');
    return undefined;
  }

  async function takeOver(): Promise<void> {
    const free = concurrency - takenOver;
    if (free <= 0) return;
    for (const saga of await claimDue(database, [definition.name], free, leaseMs)) {
      takenOver += 1;
      void run(saga).finally(() => (takenOver -= 1));
    }
  }

  async function holdOn(): Promise<void> {
    if (held.size > 0) await renew(database, [...held.values()], leaseMs);
  }

  return {
    async begin(tx, sagaId, state) {
      const saga = await insertSaga(tx, { sagaId, definition: definition.name, state, traceParent: currentTraceparent() }, leaseMs);
      return { run: () => run(saga) };
    },
    start() {
      const every = (everyMs: number) => ({ everyMs, signal, clock, log });
      loops = Promise.all([loop(takeOver, every(pollMs)), loop(holdOn, every(leaseMs / 3))]);
    },
    async stop() {
      stopping.abort();
      await loops;
      await Promise.allSettled(running);
    },
  };
}

/** Runs the step a saga stands at, in a span of its own. */
function takeStep<State extends object>(
  definition: SagaDefinition<State>,
  saga: SagaRow,
  { tracer, log, hooks = {} }: SagaRunnerOptions,
  signal: AbortSignal,
): Promise<SagaRow> {
  const step = definition.steps[saga.step]?.name ?? 'end';
  const direction = saga.status === 'COMPENSATING' ? 'compensate ' : '';
  const attributes = { 'shopmesh.saga.id': saga.sagaId, 'shopmesh.saga.attempt': saga.attempt + 1 };
  return withSpan(tracer, `saga ${direction}${step}`, { attributes }, async (span) => {
    await hooks.beforeStep?.(definition.name, step);
    const next = await runStep(definition, saga, { sagaId: saga.sagaId, signal }, (err) => {
      failSpan(span, err);
      log.warn({ err, saga: saga.sagaId, step: `${direction}${step}`, attempt: saga.attempt + 1 }, 'step failed');
    });
    await hooks.afterStep?.(definition.name, step);
    return next;
  });
}

/** Writes where the saga stands; its end together with what its definition writes then. False when another process has it. */
async function record<State extends object>(database: Database, definition: SagaDefinition<State>, saga: SagaRow, leaseMs: number): Promise<boolean> {
  const outcome = outcomeOf(saga);
  if (!outcome) return advance(database, saga, leaseMs);
  return database.transaction(`saga.${definition.name}.finish`, async (tx) => {
    if (!(await advance(tx, saga, leaseMs))) return false;
    // The definition that wrote the state reads it.
    await definition.onFinished(tx, saga.sagaId, saga.state as State, outcome);
    return true;
  });
}

function isOpen({ status }: SagaRow): boolean {
  return status === 'RUNNING' || status === 'COMPENSATING';
}

function outcomeOf({ status, failure }: SagaRow): Outcome | undefined {
  if (status === 'COMPLETED') return { kind: 'completed' };
  if (status === 'FAILED') return { kind: 'failed', failure: failure ?? { reason: 'INTERNAL', message: 'failed without a reason' } };
  return undefined;
}
