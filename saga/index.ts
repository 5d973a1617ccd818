import { join } from 'node:path';

import type { MigrationComponent } from '#database';

export { createSagaRunner, type BegunSaga, type SagaHooks, type SagaRunner, type SagaRunnerOptions } from './runner.ts';
export type { Failure, Outcome, SagaDefinition, SagaStep, StepContext } from './definition.ts';

/** Where this folder's tables come from; goes into the schema of each service that runs sagas. */
export const sagaMigrations: MigrationComponent = { name: 'saga', directory: join(import.meta.dirname, 'migrations') };
