import { expect } from 'chai';

import { refusal } from '#kit';
import { cancelSaga, findSaga } from '#saga';

import { until } from '../database/until.ts';
import { recording, type SagaBench, startSagaBench, type State } from './saga-bench.ts';

const WHY = { reason: 'CANCELLED_BY_CALLER', message: 'called off' };

describe('steps of a saga that are not written down by themselves', () => {
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench({ leaseMs: 200 });
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  const stepsOf = (a: () => Promise<State | void> = async () => {}) =>
    recording({ a: { action: a, checkpoint: false }, b: { checkpoint: false }, c: { checkpoint: false }, pivot: {}, after: {} }, 'pivot');

  async function rowOf(sagaId: string): Promise<{ step: number; status: string } | undefined> {
    const saga = await findSaga(bench.database, sagaId);
    return saga && { step: saga.step, status: saga.status };
  }

  /** Runs a saga in a process that dies in front of a step. */
  async function dieBefore(step: string, sagaId: string, given = stepsOf()): Promise<ReturnType<typeof stepsOf>> {
    const dying = bench.runnerOf(given.definition, { hooks: { beforeStep: (point) => void (point.step === step && !point.compensating && expect.fail('dead')) } });
    const run = await bench.begin(given.definition, sagaId, dying);
    await run();
    return given;
  }

  it('leave the row alone until the pivot is next, which is never reached unwritten', async () => {
    await dieBefore('c', 'unwritten');
    expect(await rowOf('unwritten')).to.deep.equal({ step: 0, status: 'RUNNING' });
    await dieBefore('pivot', 'written');
    expect(await rowOf('written')).to.deep.equal({ step: 3, status: 'RUNNING' });
  });

  it('are asked again, by whoever goes on, and then the rest is run', async () => {
    const { definition, did } = await dieBefore('c', 'again');
    bench.runnerOf(definition).start();
    await until('it is over', async () => (await bench.statusOf('again')) === 'COMPLETED');
    expect(did).to.deep.equal(['a', 'b', 'a', 'b', 'c', 'pivot', 'after']);
  });

  it('are all undone when the saga is called off after such a death: any of them may have been run', async () => {
    const { definition, did } = await dieBefore('c', 'called-off');
    expect(await cancelSaga(bench.database, definition, 'called-off', WHY)).to.equal(true);
    bench.runnerOf(definition).start();
    await until('it has failed', async () => (await bench.statusOf('called-off')) === 'FAILED');
    expect(did).to.deep.equal(['a', 'b', 'undo c', 'undo b', 'undo a']);
  });

  it('are all undone when the first of them is refused after such a death', async () => {
    let tries = 0;
    const given = stepsOf(async () => void ((tries += 1) === 2 && (await Promise.reject(refusal('OUT_OF_STOCK', 'none')))));
    await dieBefore('c', 'refused', given);
    bench.runnerOf(given.definition).start();
    await until('it has failed', async () => (await bench.statusOf('refused')) === 'FAILED');
    expect(given.did).to.deep.equal(['a', 'b', 'a', 'undo c', 'undo b', 'undo a']);
  });

  it('are all undone also if the process in between only waited for an outage to end', async () => {
    let tries = 0;
    const given = stepsOf(async () => {
      tries += 1;
      if (tries === 2) throw refusal('UNREACHABLE', 'gone');
      if (tries === 3) throw refusal('OUT_OF_STOCK', 'none');
    });
    await dieBefore('c', 'outage', given);
    bench.runnerOf(given.definition, { retry: { firstPauseMs: 1_500 } }).start();
    await until('it has failed', async () => (await bench.statusOf('outage')) === 'FAILED');
    expect(given.did).to.deep.equal(['a', 'b', 'a', 'a', 'undo c', 'undo b', 'undo a']);
  });

  it('are undone only as far as they were run when nobody died', async () => {
    const { definition, did } = stepsOf(() => Promise.reject(refusal('OUT_OF_STOCK', 'none')));
    const run = await bench.begin(definition, 'nobody-died');
    await run();
    expect(did).to.deep.equal(['a', 'undo a']);
  });

  it('are written down by a process that stops, so that the next one goes on behind them', async () => {
    const inB = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    const { definition, did } = recording(
      {
        a: { checkpoint: false },
        b: {
          checkpoint: false,
          async action() {
            inB.resolve();
            await stopped.promise;
          },
        },
        c: {},
      },
      'c',
    );
    const stopping = bench.runnerOf(definition);
    const run = await bench.begin(definition, 'stopping', stopping);
    const mine = run();
    await inB.promise;
    const stop = stopping.stop();
    stopped.resolve();
    await Promise.all([stop, mine]);
    bench.runnerOf(definition).start();
    await until('it is over', async () => (await bench.statusOf('stopping')) === 'COMPLETED');
    expect(did).to.deep.equal(['a', 'b', 'c']);
  });
});
