import { expect } from 'chai';

import { refusal, systemClock } from '#kit';
import { cancelSaga, findSaga } from '#saga';

import { until } from '../database/until.ts';
import { recording, type SagaBench, startSagaBench, type State } from './saga-bench.ts';

const WHY = { reason: 'CANCELLED_BY_CALLER', message: 'called off' };

describe('time in a saga', () => {
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench();
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  const inMs = (ms: number) => ({ until: (_state: State, now: Date) => new Date(now.getTime() + ms) });

  it('passes at a timer without anybody who holds the saga, and outlives the process', async () => {
    const { definition, did } = recording({ a: {}, wait: inMs(1_400), b: {} });
    const first = bench.runnerOf(definition);
    const run = await bench.begin(definition, 'timer', first);
    expect(await run(), 'let go').to.equal(undefined);
    const waiting = await findSaga(bench.database, 'timer');
    await first.stop();
    bench.runnerOf(definition).start();
    await until('it is over', async () => (await bench.statusOf('timer')) === 'COMPLETED');
    expect(did).to.deep.equal(['a', 'b']);
    expect(Date.now(), 'not before the time it was given first').to.be.at.least(waiting?.wakeTime?.getTime() ?? Infinity);
    expect((await findSaga(bench.database, 'timer'))?.history.map(({ step, attempts, result }) => [step, attempts, result])).to.deep.equal([
      ['a', 1, 'DONE'],
      ['wait', 1, 'DONE'],
      ['b', 1, 'DONE'],
    ]);
  });

  it('is waited for by the process itself where it is short, and not at all where it is past', async () => {
    const { definition, did } = recording({ a: {}, soon: inMs(30), past: inMs(-1_000), b: {} });
    const run = await bench.begin(definition, 'short');
    expect(await run()).to.deep.equal({ kind: 'completed' });
    expect(did).to.deep.equal(['a', 'b']);
  });

  it('does not keep a saga from being called off: it turns round now', async () => {
    const { definition, did } = recording({ a: {}, wait: inMs(3_600_000), b: {} });
    await (await bench.begin(definition, 'called-off'))();
    const runner = bench.runnerOf(definition, { pollMs: 60_000 });
    runner.start();
    await until('it is counted as waiting', () => runner.read().waiting === 1);
    expect(await cancelSaga(bench.database, definition, 'called-off', WHY)).to.equal(true);
    // Long before the next look: NOTIFY has said so.
    await until('it has failed', async () => (await bench.statusOf('called-off')) === 'FAILED');
    expect(did).to.deep.equal(['a', 'undo a']);
  });

  it('runs out for a step that hangs: whether it took effect is not known, so it is asked again by the same key', async () => {
    const keys: string[] = [];
    const action = async (_state: State, { sagaId }: { sagaId: string }): Promise<void> => {
      keys.push(sagaId);
      // Does not even heed its signal.
      if (keys.length === 1) await systemClock.sleep(400);
    };
    const { definition } = recording({ a: { action, timeoutMs: 60 }, b: {} });
    const run = await bench.begin(definition, 'hanging');
    expect(await run()).to.deep.equal({ kind: 'completed' });
    expect(keys).to.deep.equal(['hanging', 'hanging']);
    expect((await findSaga(bench.database, 'hanging'))?.history[0]).to.deep.include({ step: 'a', attempts: 2, result: 'DONE' }).and.have.nested.property('error.reason', 'DEADLINE_EXCEEDED');
  });

  it('is told to a step that heeds its signal', async () => {
    const heard: unknown[] = [];
    const action = (_state: State, { signal }: { signal: AbortSignal }) =>
      heard.length > 0 ? Promise.resolve() : new Promise<void>((_resolve, reject) => signal.addEventListener('abort', () => reject(heard.push(signal.aborted))));
    const { definition } = recording({ a: { action, timeoutMs: 60 } });
    const run = await bench.begin(definition, 'heeding');
    await run();
    expect(heard).to.deep.equal([true]);
  });

  it('between tries, and how many there are, is the step’s own business', async () => {
    const gone = (): Promise<never> => Promise.reject(refusal('UNREACHABLE', 'gone'));
    const { definition, did } = recording({ a: { action: gone, retry: { firstPauseMs: 1, maxAttempts: 3 } }, b: {} });
    const run = await bench.begin(definition, 'own-policy');
    expect((await run())?.kind).to.equal('failed');
    expect(did).to.deep.equal(['a', 'a', 'a', 'undo a']);
  });
});
