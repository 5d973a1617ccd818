import { join } from 'node:path';

import type { MigrationComponent } from '#database';

export { type BegunSaga, createSagaRunner, type NewSaga, type PreparedSaga, type SagaReading, type SagaRunner, type SagaRunnerOptions } from './runner.ts';
export type { ActionStep, EndedSaga, Failure, Outcome, SagaDefinition, SagaStep, StepContext, TimerStep } from './definition.ts';
export { versionOf } from './definition.ts';
export type { RetryPolicy } from './retry-policy.ts';
export { cancelSaga } from './cancellation.ts';
export { type FailingSagas, findFailing, findSaga, intervene, type Intervention, type InterventionKind, type InterventionRequest, listSagas, type SagaRecord } from './operator-store.ts';
export type { StepRun } from './step-run.ts';
export type { SagaStatus } from './saga-row.ts';
export type { SagaHooks, SagaPoint } from './hooks.ts';

/** Where this folder's tables come from; goes into the schema of each service that runs sagas. */
export const sagaMigrations: MigrationComponent = { name: 'saga', directory: join(import.meta.dirname, 'migrations') };
