import { expect } from 'chai';

import { refusal } from '#kit';
import { findSaga, intervene, listSagas } from '#saga';

import { until } from '../database/until.ts';
import { recording, type SagaBench, startSagaBench } from './saga-bench.ts';

const BY = { who: 'ada', why: 'ticket 42' };
const ALL = { size: 50, after: undefined };

describe('a saga that is stuck', () => {
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench({ retry: { longestPauseMs: 10 } });
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  /** Parks a saga at the compensation of `a`, which is refused until `mend` is called. */
  async function stuckOnItsWayBack(sagaId: string): Promise<{ did: string[]; mend: () => void }> {
    let refusing = true;
    const { definition, did } = recording({
      first: {},
      a: { compensate: () => (refusing ? Promise.reject(refusal('REFUND_FAILED', 'the bank says no')) : Promise.resolve()) },
      b: { action: () => Promise.reject(refusal('OUT_OF_STOCK', 'none left')) },
    });
    const runner = bench.runnerOf(definition);
    runner.start();
    const run = await bench.begin(definition, sagaId, runner);
    await run();
    await until('it is parked', async () => (await bench.statusOf(sagaId)) === 'STUCK');
    return { did, mend: () => (refusing = false) };
  }

  it('says where and why it stands, and is found among the stuck ones', async () => {
    await stuckOnItsWayBack('stuck');
    const found = await findSaga(bench.database, 'stuck');
    expect(found).to.deep.include({
      status: 'STUCK',
      step: 1,
      turnedAt: 2,
      failure: { reason: 'OUT_OF_STOCK', message: 'none left' },
      lastError: { reason: 'REFUND_FAILED', message: 'the bank says no' },
    });
    const ids = async (only: Parameters<typeof listSagas>[1]): Promise<string[]> => (await listSagas(bench.database, only, ALL)).map(({ sagaId }) => sagaId);
    expect(await ids({ status: 'STUCK' })).to.deep.equal(['stuck']);
    expect(await ids({ status: 'COMPLETED' })).to.deep.equal([]);
    expect(await ids({ subject: 'test' })).to.deep.equal(['stuck']);
  });

  it('goes on from the same step when it is retried, and writes down who wanted it and why', async () => {
    const { did, mend } = await stuckOnItsWayBack('retried');
    mend();
    did.length = 0;
    expect(await intervene(bench.database, 'RETRY', { sagaId: 'retried', ...BY })).to.equal(true);
    await until('it is undone', async () => (await bench.statusOf('retried')) === 'FAILED');
    expect(did).to.deep.equal(['undo a', 'undo first']);
    expect((await findSaga(bench.database, 'retried'))?.interventions).to.have.length(1);
    expect((await findSaga(bench.database, 'retried'))?.interventions[0]).to.include({ kind: 'RETRY', step: 1, ...BY });
  });

  it('goes on behind the step when that was done by hand', async () => {
    const { did } = await stuckOnItsWayBack('resolved');
    did.length = 0;
    expect(await intervene(bench.database, 'RESOLVE', { sagaId: 'resolved', ...BY })).to.equal(true);
    await until('it is undone', async () => (await bench.statusOf('resolved')) === 'FAILED');
    expect(did).to.deep.equal(['undo first']);
  });

  it('goes on behind the step without it when that is skipped, which is written down as such', async () => {
    const { did } = await stuckOnItsWayBack('skipped');
    did.length = 0;
    expect(await intervene(bench.database, 'SKIP', { sagaId: 'skipped', ...BY, step: 1 })).to.equal(true);
    await until('it is undone', async () => (await bench.statusOf('skipped')) === 'FAILED');
    expect(did).to.deep.equal(['undo first']);
    expect((await findSaga(bench.database, 'skipped'))?.interventions[0]).to.include({ kind: 'SKIP', step: 1, ...BY });
  });

  it('is counted, for an alarm', async () => {
    await stuckOnItsWayBack('counted');
    const { definition } = recording({ a: {} });
    const watching = bench.runnerOf(definition);
    watching.start();
    await until('it is counted', () => watching.read().stuck === 1);
    expect(watching.read()).to.deep.equal({ running: 0, waiting: 0, stuck: 1, unknownVersion: 0, takenOver: 0, steps: 0 });
  });

  it('past its pivot goes on forward, also behind its last step', async () => {
    const { definition, outcomes } = recording({ pivot: {}, last: { action: () => Promise.reject(refusal('RESERVATION_NOT_COMMITTED', 'no')) } }, 'pivot');
    const runner = bench.runnerOf(definition);
    runner.start();
    const run = await bench.begin(definition, 'forward', runner);
    await run();
    await until('it is parked', async () => (await bench.statusOf('forward')) === 'STUCK');
    expect(await findSaga(bench.database, 'forward')).to.deep.include({ status: 'STUCK', step: 1, failure: null, turnedAt: null });
    await intervene(bench.database, 'RESOLVE', { sagaId: 'forward', ...BY });
    await until('it is completed', async () => (await bench.statusOf('forward')) === 'COMPLETED');
    expect(outcomes).to.deep.equal([{ kind: 'completed' }]);
  });

  it('is not taken further by a hand meant for an earlier step', async () => {
    const { did } = await stuckOnItsWayBack('earlier');
    did.length = 0;
    expect(await intervene(bench.database, 'RESOLVE', { sagaId: 'earlier', ...BY, step: 2 })).to.equal(false);
    expect(await bench.statusOf('earlier')).to.equal('STUCK');
    expect(await intervene(bench.database, 'RESOLVE', { sagaId: 'earlier', ...BY, step: 1 })).to.equal(true);
  });

  it('takes one hand only: a saga that is not stuck refuses it', async () => {
    const { mend } = await stuckOnItsWayBack('once');
    mend();
    const both = await Promise.all(['ada', 'ben'].map((who) => intervene(bench.database, 'RETRY', { sagaId: 'once', who, why: 'both saw it' })));
    expect(both.toSorted()).to.deep.equal([false, true]);
    expect((await findSaga(bench.database, 'once'))?.interventions).to.have.length(1);
    expect(await intervene(bench.database, 'RESOLVE', { sagaId: 'nobody-knows', ...BY })).to.equal(false);
  });
});
