import { context } from '@opentelemetry/api';

import type { Database, Queryable } from '#database';
import { backoffMs, type Clock, type Random, repeat, type Stoppable } from '#kit';
import { currentTraceparent, extractContext } from '#tracing';

import type { Outcome, SagaDefinition } from './definition.ts';
import { createLeases } from './leases.ts';
import { claimDue, insertSaga, release, type SagaRow } from './store.ts';
import { outcomeOf, record, type StepTools, takeStep } from './take-step.ts';

export interface SagaRunnerOptions extends StepTools {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  /** How long a saga stays with a process that died. Default 5,000: taken over after at most that and one poll. */
  readonly leaseMs?: number;
  /** How often to look for sagas that nobody holds. Default 500. */
  readonly pollMs?: number;
  /** The pause after a first failed try, which doubles with every further one. Default 100. */
  readonly firstPauseMs?: number;
  /** The longest it gets. Default 5,000. */
  readonly longestPauseMs?: number;
  /** How many sagas of others this process runs at once; those begun here are its callers' business. Default 32. */
  readonly concurrency?: number;
}

export interface NewSaga<State extends object> {
  /** A UUIDv7: lists are in the order of the ids. */
  readonly sagaId: string;
  /** What it is about, such as the id of an order. */
  readonly subject: string;
  readonly state: State;
}

/** A saga written but not yet running. */
export interface BegunSaga {
  /**
   * Call once its transaction has committed. Resolves with the outcome, or undefined when it
   * is not over yet: it waits for an outage to end, is parked, or another process has it.
   */
  run(): Promise<Outcome | undefined>;
}

/** A saga whose next try is further away waits in the table: in an outage it holds neither memory nor one of the places here. */
const HOLD_MS = 1_000;

export interface SagaRunner extends Stoppable {
  /** Writes a saga in the caller's transaction. If the process dies before `run`, any instance takes it over. */
  begin<State extends object>(tx: Queryable, definition: SagaDefinition<State>, saga: NewSaga<State>): Promise<BegunSaga>;
  /** Takes over sagas that are due from now on. */
  start(): void;
}

/** Runs the sagas of these definitions, those begun here and those whose process died. */
export function createSagaRunner(definitions: readonly SagaDefinition<object>[], options: SagaRunnerOptions): SagaRunner {
  const { database, clock, random, log, leaseMs = 5_000, pollMs = 500, firstPauseMs = 100, longestPauseMs = 5_000, concurrency = 32 } = options;
  const known = new Map(definitions.map((definition) => [definition.name, definition]));
  const stopping = new AbortController();
  const { signal } = stopping;
  const rounds = { signal, clock, log, failure: 'the saga runner cannot reach its database; it goes on when it can' };
  const leases = createLeases(database, leaseMs, rounds);
  const running = new Set<Promise<unknown>>();
  let takenOver = 0;
  let loops: Promise<unknown> = Promise.resolve();

  function run(saga: SagaRow): Promise<Outcome | undefined> {
    const done = drive(saga)
      .catch((err: unknown) => {
        log.error({ err, saga: saga.sagaId }, 'saga interrupted; it is taken up again when its lease runs out');
        return undefined;
      })
      .finally(() => {
        leases.letGo(saga);
        running.delete(done);
      });
    running.add(done);
    return done;
  }

  /** Runs steps until the saga is over, parked, has to wait, is lost to another process, or this process stops. */
  async function drive(begun: SagaRow): Promise<Outcome | undefined> {
    // The steps belong to the trace of the request that began the saga, whoever runs them, and outlive its deadline.
    const parent = extractContext({ traceparent: begun.traceParent ?? undefined });
    let saga = begun;
    while (isOpen(saga)) {
      leases.hold(saga);
      if (signal.aborted) return letGo(saga, 0);
      const next = await context.with(parent, moveOn, undefined, saga);
      if (!next) return undefined;
      saga = next;
      if (!isOpen(saga) || saga.attempt === 0) continue;
      const waitMs = backoffMs(saga.attempt, firstPauseMs, longestPauseMs, random);
      if (waitMs > HOLD_MS) return letGo(saga, waitMs);
      await clock.sleep(waitMs, signal).catch(() => {});
    }
    if (saga.status === 'STUCK') log.error({ saga: saga.sagaId, failure: saga.lastError }, 'saga parked: `mesh saga show` says where it is stuck');
    return outcomeOf(saga);
  }

  async function letGo(saga: SagaRow, afterMs: number): Promise<undefined> {
    await release(database, saga, afterMs);
  }

  /** Runs one step and writes where the saga stands then; undefined when another process has it. */
  async function moveOn(saga: SagaRow): Promise<SagaRow | undefined> {
    const definition = definitionOf(saga);
    const written = await record(database, definition, await takeStep(definition, saga, options, signal), leaseMs);
    if (!written) log.warn({ saga: saga.sagaId }, 'another process took the saga over');
    return written;
  }

  function definitionOf({ definition }: SagaRow): SagaDefinition<object> {
    const found = known.get(definition);
    // Only sagas of known definitions are begun and claimed here.
    if (!found) throw new Error(`there is no saga ${definition}`);
    return found;
  }

  async function takeOver(): Promise<void> {
    const free = concurrency - takenOver;
    if (free <= 0) return;
    for (const saga of await claimDue(database, [...known.keys()], free, leaseMs)) {
      takenOver += 1;
      void run(saga).finally(() => (takenOver -= 1));
    }
  }

  return {
    async begin(tx, definition, { sagaId, subject, state }) {
      const saga = await insertSaga(tx, { sagaId, definition: definition.name, subject, state, traceParent: currentTraceparent() }, leaseMs);
      return { run: () => run(saga) };
    },
    start() {
      loops = Promise.all([repeat(takeOver, { ...rounds, everyMs: pollMs }), leases.keep()]);
    },
    async stop() {
      stopping.abort();
      await loops;
      await Promise.allSettled(running);
    },
  };
}

function isOpen({ status }: SagaRow): boolean {
  return status === 'RUNNING' || status === 'COMPENSATING';
}
