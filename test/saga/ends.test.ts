import { expect } from 'chai';

import { findSaga, intervene, type Outcome } from '#saga';

import { until } from '../database/until.ts';
import { recording, type SagaBench, startSagaBench } from './saga-bench.ts';

const BY = { who: 'ada', why: 'ticket 42' };

describe('the end of a saga', () => {
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench({ retry: { firstPauseMs: 1, longestPauseMs: 5 } });
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  /** A definition whose end cannot be written for sagas of this name while it is broken. */
  function breaking(name: string): { definition: ReturnType<typeof recording>['definition']; did: string[]; ended: string[]; groups: number[]; mend(): void } {
    let broken = true;
    const ended: string[] = [];
    const groups: number[] = [];
    const { definition, did } = recording({ a: {}, b: {} }, 'b', {
      async onFinished(_tx, sagas) {
        groups.push(sagas.length);
        if (broken && sagas.some(({ sagaId }) => sagaId === name)) throw new TypeError('undefined is not a function');
        ended.push(...sagas.map(({ sagaId }) => sagaId));
      },
    });
    return { definition, did, ended, groups, mend: () => (broken = false) };
  }

  async function parked(sagaId: string): Promise<ReturnType<typeof breaking>> {
    const given = breaking(sagaId);
    const runner = bench.runnerOf(given.definition);
    runner.start();
    const run = await bench.begin(given.definition, sagaId, runner);
    expect(await run()).to.equal(undefined);
    await until('it is parked', async () => (await bench.statusOf(sagaId)) === 'STUCK');
    return given;
  }

  it('that cannot be written is tried again, and parked in the end, with its steps run once', async () => {
    const { did } = await parked('broken');
    expect(did).to.deep.equal(['a', 'b']);
    const saga = await findSaga(bench.database, 'broken');
    expect(saga).to.deep.include({ status: 'STUCK', step: 2, failure: null });
    expect(saga?.history.at(-1)).to.include({ step: 'end', attempts: 20, result: 'STUCK' });
  });

  it('is written when an operator retries it, once whatever stood in its way is mended', async () => {
    const { mend, ended, did } = await parked('retried');
    mend();
    await intervene(bench.database, 'RETRY', { sagaId: 'retried', ...BY });
    await until('it is over', async () => (await bench.statusOf('retried')) === 'COMPLETED');
    expect([did, ended]).to.deep.equal([['a', 'b'], ['retried']]);
  });

  it('is taken as written when an operator says so', async () => {
    const { ended } = await parked('by-hand');
    await intervene(bench.database, 'RESOLVE', { sagaId: 'by-hand', ...BY, step: 2 });
    await until('it is over', async () => (await bench.statusOf('by-hand')) === 'COMPLETED');
    expect(ended).to.deep.equal([]);
  });

  it('comes together with that of others that end at the same moment, and none spoils another', async () => {
    const { definition, ended, groups } = breaking('bad');
    const runner = bench.runnerOf(definition);
    const ids = [...Array.from({ length: 40 }, (_, index) => `good-${index}`), 'bad'];
    const runs = await Promise.all(ids.map((sagaId) => bench.begin(definition, sagaId, runner)));
    const outcomes = Promise.all(runs.map((run) => run()));
    await until('the bad one is parked', async () => (await bench.statusOf('bad')) === 'STUCK');
    const expected: (Outcome | undefined)[] = ids.map((id) => (id === 'bad' ? undefined : { kind: 'completed' }));
    expect(await outcomes).to.deep.equal(expected);
    expect(ended.toSorted()).to.deep.equal(ids.slice(0, 40).toSorted());
    expect(Math.max(...groups), 'some ended together').to.be.greaterThan(1);
  });
});
