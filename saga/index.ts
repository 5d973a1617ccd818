import { join } from 'node:path';

import type { MigrationComponent } from '#database';

export { type BegunSaga, createSagaRunner, type NewSaga, type SagaRunner, type SagaRunnerOptions } from './runner.ts';
export type { Failure, Outcome, SagaDefinition, SagaStep, StepContext } from './definition.ts';
export { cancelSaga } from './cancellation.ts';
export { findSaga, intervene, type Intervention, type InterventionKind, type InterventionRequest, listSagas, type SagaRecord } from './operator-store.ts';
export type { SagaStatus } from './store.ts';
export type { SagaHooks, SagaPoint } from './take-step.ts';

/** Where this folder's tables come from; goes into the schema of each service that runs sagas. */
export const sagaMigrations: MigrationComponent = { name: 'saga', directory: join(import.meta.dirname, 'migrations') };
