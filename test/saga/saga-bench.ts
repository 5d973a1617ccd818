import { trace } from '@opentelemetry/api';

import { type Database, migrate } from '#database';
import { silentLog, systemClock, systemRandom } from '#kit';
import { type ActionStep, createSagaRunner, type Outcome, type SagaDefinition, sagaMigrations, type SagaRunner, type SagaRunnerOptions, type TimerStep } from '#saga';

import { emptyTables } from '../database/empty-tables.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase } from '../database/postgres-fixture.ts';

export interface State {
  readonly learnt?: string;
}

/** A definition that writes down what it does. Its last step is the pivot unless another one is named; OUT_OF_STOCK and CARD_DECLINED are its refusals. */
export function recording(
  steps: Readonly<Record<string, Partial<ActionStep<State>> | Pick<TimerStep<State>, 'until'>>>,
  pivot = Object.keys(steps).at(-1) ?? '',
  more: Partial<SagaDefinition<State>> = {},
): { definition: SagaDefinition<State>; did: string[]; outcomes: Outcome[] } {
  const did: string[] = [];
  const outcomes: Outcome[] = [];
  const definition: SagaDefinition<State> = {
    name: 'test',
    pivot: { step: pivot, refusals: ['OUT_OF_STOCK', 'CARD_DECLINED'] },
    steps: Object.entries(steps).map(([name, step]) => ('until' in step ? { ...step, name } : recorded(name, step, did))),
    onFinished: async (_tx, ended) => void outcomes.push(...ended.map(({ outcome }) => outcome)),
    ...more,
  };
  return { definition, did, outcomes };
}

function recorded(name: string, step: Partial<ActionStep<State>>, did: string[]): ActionStep<State> {
  return {
    ...step,
    name,
    async action(state, context) {
      did.push(name);
      return step.action?.(state, context);
    },
    async compensate(state, context) {
      did.push(`undo ${name}`);
      await step.compensate?.(state, context);
    },
  };
}

/** Sagas of one test file on a real database, with short leases. */
export interface SagaBench {
  readonly database: Database;
  readonly url: string;
  /** Begins a saga of this definition and returns how to run it here; another runner of the same definition may take it over. */
  begin(definition: SagaDefinition<State>, sagaId: string, runner?: SagaRunner): Promise<() => Promise<Outcome | undefined>>;
  runnerOf(definition: SagaDefinition<State> | readonly SagaDefinition<State>[], others?: Others): SagaRunner;
  statusOf(sagaId: string): Promise<string | undefined>;
  /** Ends the runners and forgets the sagas of one test. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

/** What is other than usual about a runner. */
export type Others = Partial<Omit<SagaRunnerOptions, 'database'>>;

export async function startSagaBench(usual: Others = {}): Promise<SagaBench> {
  const test = await createTestDatabase();
  await migrate({ url: test.url, schema: 'shop', components: [sagaMigrations], log: silentLog });
  const database = openTestDatabase({ url: test.url, maxConnections: 10, ...(usual.tracer && { tracer: usual.tracer }) });
  const runners: SagaRunner[] = [];
  const options: SagaRunnerOptions = { database, clock: systemClock, random: systemRandom, log: silentLog, tracer: trace.getTracer('test'), leaseMs: 600, pollMs: 50, ...usual };
  const runnerOf: SagaBench['runnerOf'] = (definitions, others = {}) => {
    const runner = createSagaRunner([definitions].flat(), { ...options, ...others });
    runners.push(runner);
    return runner;
  };
  return {
    database,
    url: test.url,
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
      await emptyTables(database, 'saga', 'saga_intervention');
    },
    async stop() {
      await database.stop();
      await test.drop();
    },
  };
}
