import type { SagaRow } from '../../saga/saga-row.ts';

/** A saga as the process has it that has just begun it. */
export const BEGUN: SagaRow = {
  ...{ sagaId: 's', subject: 'test', definition: 'test', version: 1, status: 'RUNNING', step: 0, attempt: 0, refusals: 0 },
  ...{ state: {}, failure: null, turnedAt: null, lastError: null, fence: 1n, reach: -1, wakeTime: null, history: [], traceParent: null },
};
