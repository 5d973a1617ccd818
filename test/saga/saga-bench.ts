import { trace } from '@opentelemetry/api';

import { type Database, migrate } from '#database';
import { silentLog, systemClock, systemRandom } from '#kit';
import { createSagaRunner, type Outcome, type SagaDefinition, sagaMigrations, type SagaRunner, type SagaRunnerOptions, type SagaStep } from '#saga';

import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase } from '../database/postgres-fixture.ts';

export interface State {
  readonly learnt?: string;
}

/** A definition that writes down what it does. Its last step is the pivot unless another one is named; OUT_OF_STOCK and CARD_DECLINED are its refusals. */
export function recording(
  steps: Readonly<Record<string, Partial<SagaStep<State>>>>,
  pivot = Object.keys(steps).at(-1) ?? '',
): { definition: SagaDefinition<State>; did: string[]; outcomes: Outcome[] } {
  const did: string[] = [];
  const outcomes: Outcome[] = [];
  const definition: SagaDefinition<State> = {
    name: 'test',
    pivot: { step: pivot, refusals: ['OUT_OF_STOCK', 'CARD_DECLINED'] },
    steps: Object.entries(steps).map(([name, step]) => ({
      name,
      async action(state, context) {
        did.push(name);
        return step.action?.(state, context);
      },
      async compensate(state, context) {
        did.push(`undo ${name}`);
        await step.compensate?.(state, context);
      },
    })),
    onFinished: async (_tx, _id, _state, outcome) => void outcomes.push(outcome),
  };
  return { definition, did, outcomes };
}

/** Sagas of one test file on a real database, with short leases. */
export interface SagaBench {
  readonly database: Database;
  /** Begins a saga of this definition and returns how to run it here; another runner of the same definition may take it over. */
  begin(definition: SagaDefinition<State>, sagaId: string, runner?: SagaRunner): Promise<() => Promise<Outcome | undefined>>;
  runnerOf(definition: SagaDefinition<State>, pauses?: Pauses): SagaRunner;
  statusOf(sagaId: string): Promise<string | undefined>;
  /** Ends the runners and forgets the sagas of one test. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

/** Pauses of a runner, where the usual ones are too long. */
export type Pauses = Pick<SagaRunnerOptions, 'firstPauseMs' | 'longestPauseMs'>;

export async function startSagaBench(pauses: Pauses = {}): Promise<SagaBench> {
  const test = await createTestDatabase();
  await migrate({ url: test.url, schema: 'shop', components: [sagaMigrations], log: silentLog });
  const database = openTestDatabase({ url: test.url, maxConnections: 10 });
  const runners: SagaRunner[] = [];
  const options = { ...pauses, database, clock: systemClock, random: systemRandom, log: silentLog, tracer: trace.getTracer('test'), leaseMs: 600, pollMs: 50 };
  const runnerOf = (definition: SagaDefinition<State>, others: Pauses = {}): SagaRunner => {
    const runner = createSagaRunner([definition], { ...options, ...others });
    runners.push(runner);
    return runner;
  };
  return {
    database,
    runnerOf,
    async begin(definition, sagaId, runner = runnerOf(definition)) {
      const saga = { sagaId, subject: 'test', state: {} };
      return (await database.transaction('test.begin', (tx) => runner.begin(tx, definition, saga))).run;
    },
    async statusOf(sagaId) {
      const [row] = await database.query<{ status: string }>({ name: 'test.status', text: 'SELECT status FROM saga WHERE saga_id = $1' }, [sagaId]);
      return row?.status;
    },
    async clear() {
      await Promise.all(runners.splice(0).map((runner) => runner.stop()));
      await database.query({ name: 'test.clear', text: 'TRUNCATE saga, saga_intervention' }, []);
    },
    async stop() {
      await database.stop();
      await test.drop();
    },
  };
}
