import { expect } from 'chai';

import { refusal } from '#kit';

import type { ActionStep, SagaDefinition } from '../../saga/definition.ts';
import { USUAL_RETRIES } from '../../saga/retry-policy.ts';
import type { SagaRow } from '../../saga/saga-row.ts';
import { runStep } from '../../saga/step-runner.ts';
import { BEGUN } from './begun.ts';

const AT_LAST_TRY: SagaRow = { ...BEGUN, attempt: USUAL_RETRIES.maxAttempts - 1 };
const AT_LAST_REFUSAL: SagaRow = { ...BEGUN, attempt: 50, refusals: USUAL_RETRIES.maxRefusals - 1 };
const AT_LAST_FAULT: SagaRow = { ...BEGUN, attempt: 50, refusals: USUAL_RETRIES.maxFaults - 1 };

describe('the step of a saga that fails', () => {
  const gone = (): Promise<never> => Promise.reject(refusal('UNREACHABLE', 'gone'));
  const refused = (): Promise<never> => Promise.reject(refusal('RESERVATION_COMMITTED', 'sold'));
  const decided = (): Promise<never> => Promise.reject(refusal('RESERVATION_EXPIRED', 'too late'));
  const broken = (): Promise<never> => Promise.reject(new TypeError('undefined is not a function'));
  const well = async (): Promise<void> => {};

  /** Runs the step at which the saga stands: one before the pivot, the pivot, one after it. */
  function run(step: Omit<ActionStep<object>, 'name'>, saga: SagaRow, stopping = new AbortController().signal): Promise<SagaRow> {
    const steps = ['before', 'pivot', 'after'].map((name) => ({ name, ...step }));
    const pivot = { step: 'pivot', refusals: ['RESERVATION_EXPIRED'] };
    const definition: SagaDefinition<object> = { name: 'test', pivot, steps, onFinished: async () => undefined };
    const deadlines = { run: <T>(_timeoutMs: number, work: (signal: AbortSignal) => Promise<T>) => work(stopping) };
    return runStep(definition, saga, { deadlines, stopping, now: new Date(), onFailure: () => undefined });
  }

  describe('before the pivot', () => {
    it('is tried again while it stays unanswered, and undone at the last try', async () => {
      expect(await run({ action: gone }, BEGUN)).to.deep.include({ status: 'RUNNING', attempt: 1, refusals: 0, lastError: { reason: 'UNREACHABLE', message: 'gone' } });
      expect(await run({ action: broken }, BEGUN)).to.include({ status: 'RUNNING', attempt: 1 });
      expect(await run({ action: gone }, AT_LAST_TRY)).to.include({ status: 'COMPENSATING', step: 0, attempt: 0 });
    });

    it('is undone at once when it is refused', async () => {
      expect(await run({ action: refused }, BEGUN)).to.deep.include({ status: 'COMPENSATING', step: 0, failure: { reason: 'RESERVATION_COMMITTED', message: 'sold' } });
    });
  });

  describe('at the pivot', () => {
    const at = (saga: SagaRow): SagaRow => ({ ...saga, step: 1 });

    it('is asked for ever while it stays unanswered: it may have happened', async () => {
      expect(await run({ action: gone }, at(AT_LAST_REFUSAL))).to.include({ status: 'RUNNING', step: 1 });
    });

    it('turns the saga round when it says for sure that it has not happened', async () => {
      expect(await run({ action: decided }, at(BEGUN))).to.include({ status: 'COMPENSATING', step: 1 });
    });

    it('is asked again when it is refused for another reason, and parks the saga in the end: an earlier try may have happened', async () => {
      expect(await run({ action: refused }, at(BEGUN))).to.include({ status: 'RUNNING', step: 1, refusals: 1 });
      expect(await run({ action: refused }, at(AT_LAST_REFUSAL))).to.deep.include({ status: 'STUCK', step: 1, failure: null });
    });
  });

  describe('after the pivot', () => {
    const at = (saga: SagaRow): SagaRow => ({ ...saga, step: 2 });

    it('is tried for ever while it stays unanswered', async () => {
      expect(await run({ action: gone }, at(AT_LAST_REFUSAL))).to.include({ status: 'RUNNING', step: 2 });
    });

    it('is tried on when it is refused, and parks the saga in the end: there is no way back', async () => {
      expect(await run({ action: refused }, at(BEGUN))).to.include({ status: 'RUNNING', step: 2, attempt: 1 });
      expect(await run({ action: refused }, at(AT_LAST_REFUSAL))).to.deep.include({ status: 'STUCK', step: 2, failure: null });
    });
  });

  describe('on the way back', () => {
    const undoing = (saga: SagaRow): SagaRow => ({ ...saga, status: 'COMPENSATING' });

    it('waits for an outage, however long', async () => {
      expect(await run({ action: well, compensate: gone }, undoing(AT_LAST_REFUSAL))).to.include({ status: 'COMPENSATING' });
    });

    it('parks the saga when it is refused again and again; tries that met an outage do not count', async () => {
      expect(await run({ action: well, compensate: refused }, undoing({ ...BEGUN, attempt: 50 }))).to.include({ status: 'COMPENSATING', refusals: 1 });
      expect(await run({ action: well, compensate: refused }, undoing(AT_LAST_REFUSAL))).to.include({ status: 'STUCK' });
    });

    it('parks the saga when it fails by a fault that does not pass, later', async () => {
      expect(await run({ action: well, compensate: broken }, undoing(AT_LAST_REFUSAL))).to.include({ status: 'COMPENSATING' });
      expect(await run({ action: well, compensate: broken }, undoing(AT_LAST_FAULT))).to.include({ status: 'STUCK' });
    });
  });

  it('counts for nothing when the process is about to stop', async () => {
    expect(await run({ action: gone, compensate: gone }, AT_LAST_TRY, AbortSignal.abort())).to.deep.equal(AT_LAST_TRY);
  });
});
