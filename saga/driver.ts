import { context } from '@opentelemetry/api';

import { MeshError, type Random } from '#kit';
import { extractContext } from '#tracing';

import type { Advance } from './advance.ts';
import { isCheckpoint, type Outcome, type SagaDefinition } from './definition.ts';
import { withTry } from './history.ts';
import type { Leases } from './leases.ts';
import type { Recorder } from './recorder.ts';
import type { DefinitionRegistry } from './registry.ts';
import { pauseMs, type RetryPolicy } from './retry-policy.ts';
import { isOpen, outcomeOf, type SagaRow } from './saga-row.ts';
import { retriesOf } from './step-retries.ts';
import { afterFailedEnd } from './step-runner.ts';
import { END, pointOf, type StepTools, takeStep } from './take-step.ts';

export interface DriverOptions extends StepTools {
  readonly random: Random;
  readonly registry: DefinitionRegistry;
  readonly recorder: Recorder;
  readonly leases: Leases;
  readonly retries: Required<RetryPolicy>;
}

/** Drives the sagas of this process from step to step. */
export interface Driver {
  /** Runs a saga as far as it goes now. Resolves with its outcome, undefined when it is not over yet; never rejects. */
  run(saga: SagaRow, sinceMs: number): Promise<Outcome | undefined>;
  /** Resolves when no saga is under way any more. */
  settled(): Promise<void>;
  /** Under way now. */
  readonly running: number;
  /** Tries of steps so far. */
  readonly steps: number;
}

/** A saga whose next try is further away waits in the table: in an outage it holds neither memory nor a place. */
const HOLD_MS = 1_000;

export function createDriver(options: DriverOptions): Driver {
  const { registry, recorder, leases, stopping, clock, random, retries, hooks, log } = options;
  const running = new Set<Promise<unknown>>();
  let steps = 0;

  function run(saga: SagaRow, sinceMs: number): Promise<Outcome | undefined> {
    leases.hold(saga, sinceMs);
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
    const definition = registry.find(begun);
    // Only sagas of known definitions are begun and claimed here.
    if (!definition) throw new Error(`there is no saga ${begun.definition}`);
    // The steps belong to the trace of the request that began the saga, whoever runs them, and outlive its deadline.
    const within = extractContext({ traceparent: begun.traceParent ?? undefined });
    let saga = begun;
    while (isOpen(saga)) {
      if (stopping.aborted) {
        await recorder.record(definition, { saga, ran: saga.step, waitMs: 0 });
        return undefined;
      }
      const moved = await context.with(within, moveOn, undefined, definition, saga);
      if (!moved) return undefined;
      saga = moved;
    }
    if (saga.status === 'STUCK') log.error({ saga: saga.sagaId, failure: saga.lastError }, 'saga parked: `mesh saga show` says where it is stuck');
    return outcomeOf(saga);
  }

  /** Runs one step; undefined when the saga is not this process's any more: another one has it, or it waits in the table. */
  async function moveOn(definition: SagaDefinition<object>, saga: SagaRow): Promise<SagaRow | undefined> {
    const next = await takeStep(definition, saga, options);
    steps += 1;
    if (next === saga || !mustRecord(definition, saga, next)) return next;
    const { written, wanted, pause } = await record(definition, saga, next);
    if (!written) {
      log.warn({ saga: saga.sagaId }, 'another process took the saga over');
      return undefined;
    }
    // Turned round by a cancellation: there is nothing to wait for.
    if (pause === 0 || written.status !== wanted.status || !isOpen(written)) return written;
    if (pause > HOLD_MS) return undefined;
    await clock.sleep(pause, stopping).catch(() => {});
    return written;
  }

  async function record(definition: SagaDefinition<object>, saga: SagaRow, next: SagaRow): Promise<{ written: SagaRow | undefined; wanted: SagaRow; pause: number }> {
    const advanceTo = (wanted: SagaRow, pause: number): Advance => ({ saga: wanted, ran: saga.step, ...(pause > HOLD_MS && { waitMs: pause }) });
    const point = pointOf(definition, saga);
    await hooks.beforeRecord?.(point);
    let wanted = next;
    let pause = pauseOf(definition, wanted);
    let written: SagaRow | undefined;
    try {
      written = await recorder.record(definition, advanceTo(wanted, pause));
    } catch (thrown) {
      if (!outcomeOf(next)) throw thrown;
      wanted = failedEnd(definition, next, thrown);
      pause = pauseOf(definition, wanted);
      written = await recorder.record(definition, advanceTo(wanted, pause));
    }
    await hooks.afterRecord?.(point);
    return { written, wanted, pause };
  }

  /** Where a saga stands whose end could not be written: its last steps are not run again, the end is. */
  function failedEnd(definition: SagaDefinition<object>, ended: SagaRow, thrown: unknown): SagaRow {
    const err = MeshError.from(thrown);
    log.warn({ err, saga: ended.sagaId, attempt: ended.attempt + 1 }, 'the end of a saga could not be written');
    const before: SagaRow = { ...ended, status: ended.status === 'COMPLETED' ? 'RUNNING' : 'COMPENSATING' };
    const now = clock.now();
    return withTry(before, afterFailedEnd(definition, before, err, retries), { step: END, beginMs: now, endMs: now, traceId: '' });
  }

  function pauseOf(definition: SagaDefinition<object>, { step, attempt, wakeTime, status }: SagaRow): number {
    if (wakeTime !== null) return Math.max(0, wakeTime.getTime() - clock.now());
    return attempt > 0 && status !== 'STUCK' ? pauseMs(retriesOf(definition, step, retries), attempt, random) : 0;
  }

  return {
    run,
    settled: async () => void (await Promise.allSettled(running)),
    get running() {
      return running.size;
    },
    get steps() {
      return steps;
    },
  };
}

/** See {@link ActionStep.checkpoint}. What failed, waits, turns round or ends is always written down. */
function mustRecord(definition: SagaDefinition<object>, before: SagaRow, after: SagaRow): boolean {
  return after.status !== before.status || after.attempt > 0 || after.wakeTime !== null || isCheckpoint(definition, before.step);
}
