import { expect } from 'chai';

import { refusal } from '#kit';
import { findSaga, intervene, type StepRun } from '#saga';

import { MAX_HISTORY, withTry } from '../../saga/history.ts';
import { fromStored, toStored } from '../../saga/step-run.ts';
import { until } from '../database/until.ts';
import { createTelemetry } from '../mesh/support/telemetry.ts';
import { BEGUN } from './begun.ts';
import { recording, type SagaBench, startSagaBench } from './saga-bench.ts';

const WHOLE: StepRun = { step: 'charge', compensating: true, attempts: 3, beginMs: 1_000, endMs: 1_250, result: 'STUCK', error: { reason: 'A', message: 'b' }, traceId: 'other' };

describe('the history of a saga', () => {
  const telemetry = createTelemetry();
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench({ tracer: telemetry.tracer('order'), retry: { firstPauseMs: 1, longestPauseMs: 5 } });
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  it('has each step with its tries, its last error, its times and its trace', async () => {
    let tries = 0;
    const { definition } = recording({
      a: { action: async () => void ((tries += 1) < 3 && (await Promise.reject(refusal('UNREACHABLE', 'gone')))) },
      b: { action: () => Promise.reject(refusal('CARD_DECLINED', 'no money')) },
      c: {},
    });
    const run = await bench.begin(definition, 'told');
    const beganAt = Date.now();
    await run();
    const { history = [] } = (await findSaga(bench.database, 'told')) ?? {};
    expect(history.map(({ step, compensating, attempts, result, error }) => [step, compensating, attempts, result, error?.reason])).to.deep.equal([
      ['a', false, 3, 'DONE', 'UNREACHABLE'],
      ['b', false, 1, 'FAILED', 'CARD_DECLINED'],
      ['b', true, 1, 'DONE', undefined],
      ['a', true, 1, 'DONE', undefined],
    ]);
    for (const { beginMs, endMs } of history) expect([beganAt <= beginMs, beginMs <= endMs, endMs <= Date.now()]).to.deep.equal([true, true, true]);
    const traces = new Set(telemetry.spans().map((span) => span.spanContext().traceId));
    for (const { traceId } of history) expect(traces.has(traceId), traceId).to.equal(true);
  });

  it('shows where a saga was parked, and begins anew when it is retried', async () => {
    let refusing = true;
    const { definition } = recording({ pivot: {}, last: { action: () => (refusing ? Promise.reject(refusal('RESERVATION_NOT_COMMITTED', 'no')) : Promise.resolve()) } }, 'pivot');
    const runner = bench.runnerOf(definition);
    runner.start();
    await (await bench.begin(definition, 'parked', runner))();
    await until('it is parked', async () => (await bench.statusOf('parked')) === 'STUCK');
    refusing = false;
    await intervene(bench.database, 'RETRY', { sagaId: 'parked', who: 'ada', why: 'mended' });
    await until('it is over', async () => (await bench.statusOf('parked')) === 'COMPLETED');
    expect((await findSaga(bench.database, 'parked'))?.history.map(({ step, attempts, result }) => [step, attempts, result])).to.deep.equal([
      ['pivot', 1, 'DONE'],
      ['last', 8, 'STUCK'],
      ['last', 1, 'DONE'],
    ]);
  });

  it('is kept as it is told, and small where all went as usual', () => {
    const usual: StepRun = { step: 'charge', compensating: false, attempts: 1, beginMs: 1_000, endMs: 1_012, result: 'DONE', traceId: 'its own' };
    for (const run of [WHOLE, usual]) expect(fromStored(toStored(run, 'its own'), 'its own')).to.deep.equal(run);
    expect(toStored(usual, 'its own')).to.deep.equal({ step: 'charge', at: 1_000, ms: 12 });
  });

  it('is bounded, whatever operators retry', () => {
    let saga = BEGUN;
    for (let round = 0; round < 100; round += 1) {
      saga = { ...withTry(saga, { ...saga, status: 'STUCK', attempt: 8 }, { step: 'a', beginMs: round, endMs: round, traceId: '' }), status: 'RUNNING', attempt: 0 };
    }
    expect(saga.history).to.have.length(MAX_HISTORY);
    expect(saga.history.at(-1)).to.include({ beginMs: 99, result: 'STUCK' });
  });
});
