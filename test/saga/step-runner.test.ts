import { expect } from 'chai';

import { refusal } from '#kit';

import type { SagaDefinition, SagaStep } from '../../saga/definition.ts';
import { MAX_ATTEMPTS, runStep } from '../../saga/step-runner.ts';
import type { SagaRow } from '../../saga/store.ts';

const AT_LAST_TRY: SagaRow = {
  ...{ sagaId: 's', definition: 'test', status: 'RUNNING', step: 0, attempt: MAX_ATTEMPTS - 1 },
  ...{ state: {}, failure: null, fence: 1n, traceParent: null },
};

describe('the step of a saga that fails once more', () => {
  const gone = (): Promise<never> => Promise.reject(refusal('UNREACHABLE', 'gone'));
  const refused = (): Promise<never> => Promise.reject(refusal('RESERVATION_COMMITTED', 'sold'));

  function run(step: Omit<SagaStep<object>, 'name'>, saga: SagaRow, signal = new AbortController().signal): Promise<SagaRow> {
    const definition: SagaDefinition<object> = { name: 'test', steps: [{ name: 'only', ...step }], onFinished: async () => undefined };
    return runStep(definition, saga, { sagaId: saga.sagaId, signal }, () => undefined);
  }

  it('is given up and undone when it can be undone', async () => {
    expect(await run({ action: gone, compensate: async () => undefined }, AT_LAST_TRY)).to.include({ status: 'COMPENSATING', step: 0, attempt: 0 });
  });

  it('is never given up when it cannot be undone: it may have happened', async () => {
    expect(await run({ action: gone }, AT_LAST_TRY)).to.include({ status: 'RUNNING', attempt: MAX_ATTEMPTS });
  });

  it('waits for an outage while it is undone, and parks the saga only on a refusal', async () => {
    const undoing: SagaRow = { ...AT_LAST_TRY, status: 'COMPENSATING' };
    expect(await run({ action: gone, compensate: gone }, undoing)).to.include({ status: 'COMPENSATING' });
    expect(await run({ action: gone, compensate: refused }, undoing)).to.include({ status: 'STUCK' });
  });

  it('counts for nothing when the process is about to stop', async () => {
    expect(await run({ action: gone, compensate: gone }, AT_LAST_TRY, AbortSignal.abort())).to.deep.equal(AT_LAST_TRY);
  });
});
