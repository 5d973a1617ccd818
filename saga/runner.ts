import type { Tracer } from '@opentelemetry/api';

import { createGroupCommit, type Database, type Queryable } from '#database';
import { type Clock, type Log, type Random, repeat, type Stoppable } from '#kit';
import { currentTraceparent } from '#tracing';

import { type Census, createCensusTaker } from './census.ts';
import { type Outcome, pivotOf, type SagaDefinition, versionOf } from './definition.ts';
import { createDriver } from './driver.ts';
import type { SagaHooks } from './hooks.ts';
import { createLeases } from './leases.ts';
import { createRecorder } from './recorder.ts';
import { createDefinitionRegistry } from './registry.ts';
import { keepSwept } from './retention.ts';
import { type RetryPolicy, USUAL_RETRIES } from './retry-policy.ts';
import { createStepDeadlines } from './step-deadlines.ts';
import { announce, insertSagas, type SagaInsert } from './store.ts';
import { createTakingOver } from './taking-over.ts';

export interface SagaRunnerOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly tracer: Tracer;
  readonly log: Log;
  readonly hooks?: SagaHooks;
  /** How long a saga stays with a process that died. Default 5,000: taken over after at most that and one poll. */
  readonly leaseMs?: number;
  /** How often to look for sagas that nobody holds, besides when another instance says so. Default 500. */
  readonly pollMs?: number;
  /** How steps are tried again where their definition does not say. Default {@link USUAL_RETRIES}. */
  readonly retry?: RetryPolicy;
  /** How many sagas of others this process runs at once; those begun here are its callers' business. Default 32. */
  readonly concurrency?: number;
  /** How long a saga is kept that is over. Default 30 days. */
  readonly keepMs?: number;
}

export interface NewSaga<State extends object> {
  /** A UUIDv7: lists are in the order of the ids, and the oldest are swept. */
  readonly sagaId: string;
  /** What it is about, such as the id of an order. */
  readonly subject: string;
  readonly state: State;
}

/** A saga about to be written, with the trace of whoever prepared it. */
export type PreparedSaga = SagaInsert;

/** A saga written but not yet running. */
export interface BegunSaga {
  /**
   * Call once its transaction has committed. Resolves with the outcome, or undefined when it
   * is not over yet: it waits for an outage to end, is parked, or another process has it.
   */
  run(): Promise<Outcome | undefined>;
}

/** Plain numbers for metrics. What the table holds is counted every ten seconds. */
export interface SagaReading extends Omit<Census, 'open'> {
  /** In this process, now. */
  readonly running: number;
  /** By this process, since it began: sagas taken over, and tries of steps. */
  readonly takenOver: number;
  readonly steps: number;
}

export interface SagaRunner extends Stoppable {
  /** Writes a saga in the caller's transaction. If the process dies before `run`, any instance takes it over. */
  begin<State extends object>(tx: Queryable, definition: SagaDefinition<State>, saga: NewSaga<State>): Promise<BegunSaga>;
  /** The first half of `begin`, for those that are written with others: see `beginAll`. */
  prepare<State extends object>(definition: SagaDefinition<State>, saga: NewSaga<State>): PreparedSaga;
  /** Writes sagas in one statement of the caller's transaction, each in its own trace, and answers each in their order. */
  beginAll(tx: Queryable, sagas: readonly PreparedSaga[]): Promise<readonly BegunSaga[]>;
  /** Begins a saga that belongs to no transaction, in one commit with others that begin at the same moment, and runs it; see {@link BegunSaga.run}. */
  execute<State extends object>(definition: SagaDefinition<State>, saga: NewSaga<State>): Promise<Outcome | undefined>;
  /** Takes over sagas that are due from now on. */
  start(): void;
  read(): SagaReading;
}

const COUNT_EVERY_MS = 10_000;
const KEEP_MS = 30 * 24 * 3_600_000;

/** Runs the sagas of these definitions, those begun here and those whose process died. Several versions of one may be among them. */
export function createSagaRunner(definitions: readonly SagaDefinition<object>[], options: SagaRunnerOptions): SagaRunner {
  const { database, clock, random, tracer, log, hooks = {}, leaseMs = 5_000, pollMs = 500, retry, concurrency = 32, keepMs = KEEP_MS } = options;
  const registry = createDefinitionRegistry(definitions);
  const stopping = new AbortController();
  const rounds = { signal: stopping.signal, clock, log, failure: 'the saga runner cannot reach its database; it goes on when it can' };
  const leases = createLeases(database, leaseMs, rounds);
  const deadlines = createStepDeadlines(clock);
  const recorder = createRecorder({ database, tracer, clock, withoutFence: hooks.withoutFence });
  const retries = { ...USUAL_RETRIES, ...retry };
  const driver = createDriver({ clock, random, tracer, log, hooks, registry, recorder, leases, retries, deadlines, stopping: stopping.signal });
  const takingOver = createTakingOver({ database, registry, leaseMs, pollMs, concurrency, rounds, run: driver.run });
  const census = createCensusTaker(database, registry, log);
  const insert = createGroupCommit({ name: 'saga.insert', tracer, clock }, (group: readonly SagaInsert[]) => insertSagas(database, group, leaseMs));
  let loops: Promise<unknown> = Promise.resolve();

  function prepare<State extends object>(definition: SagaDefinition<State>, saga: NewSaga<State>): PreparedSaga {
    const key = { definition: definition.name, version: versionOf(definition) };
    if (!registry.find(key)) throw new Error(`saga ${key.definition} version ${key.version} is not one of this runner's`);
    return { ...key, ...saga, pivot: pivotOf(definition), traceParent: currentTraceparent() };
  }

  async function beginAll(tx: Queryable, sagas: readonly PreparedSaga[]): Promise<BegunSaga[]> {
    const sinceMs = clock.now();
    const begun = await insertSagas(tx, sagas, leaseMs);
    return begun.map((saga) => ({ run: () => driver.run(saga, sinceMs) }));
  }

  return {
    async begin(tx, definition, saga) {
      const [begun] = await beginAll(tx, [prepare(definition, saga)]);
      // One is written, or the statement throws.
      return begun as BegunSaga;
    },
    prepare,
    beginAll,
    async execute(definition, saga) {
      const sinceMs = clock.now();
      const begun = await insert(prepare(definition, saga));
      return begun && driver.run(begun, sinceMs);
    },
    start() {
      loops = Promise.all([takingOver.keep(), leases.keep(), repeat(census.take, { ...rounds, everyMs: COUNT_EVERY_MS }), keepSwept(database, keepMs, rounds)]);
    },
    read() {
      const { waiting, stuck, unknownVersion } = census.read();
      return { running: driver.running, waiting, stuck, unknownVersion, takenOver: takingOver.count, steps: driver.steps };
    },
    async stop() {
      const left = driver.running > 0;
      stopping.abort();
      deadlines.abort();
      await loops;
      await takingOver.stop();
      await driver.settled();
      await deadlines.stop();
      // Best effort: others find what was let go at their next look.
      if (left) await announce(database).catch(() => {});
    },
  };
}
