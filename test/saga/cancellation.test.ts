import { expect } from 'chai';

import { refusal } from '#kit';
import { cancelSaga, type SagaDefinition } from '#saga';

import { until } from '../database/until.ts';
import { recording, type SagaBench, startSagaBench, type State } from './saga-bench.ts';

const WHY = { reason: 'CANCELLED_BY_CALLER', message: 'called off' };

describe('a saga that somebody wants cancelled', () => {
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench();
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  const cancel = (definition: SagaDefinition<State>, sagaId: string): Promise<boolean> => cancelSaga(bench.database, definition, sagaId, WHY);

  it('turns round after the step it is at, and undoes that step and those before it', async () => {
    const accepted: boolean[] = [];
    const { definition, did } = recording({ a: {}, b: { action: async () => void accepted.push(await cancel(definition, 'on-its-way')) }, c: {}, d: {} });
    const run = await bench.begin(definition, 'on-its-way');
    expect(await run()).to.deep.equal({ kind: 'failed', failure: WHY });
    expect(accepted).to.deep.equal([true]);
    expect(did).to.deep.equal(['a', 'b', 'undo b', 'undo a']);
  });

  it('turns round where a step fails again and again, without waiting for its last try', async () => {
    let tries = 0;
    const action = async (): Promise<void> => {
      if ((tries += 1) === 2) await cancel(definition, 'failing');
      throw refusal('UNREACHABLE', 'gone');
    };
    const { definition, did } = recording({ a: {}, b: { action }, c: {} });
    const run = await bench.begin(definition, 'failing');
    expect((await run())?.kind).to.equal('failed');
    expect(did).to.deep.equal(['a', 'b', 'b', 'undo b', 'undo a']);
  });

  it('is cancelled by the reason that was accepted, also when a step is refused at the same time', async () => {
    const action = async (): Promise<void> => {
      await cancel(definition, 'both');
      throw refusal('CARD_DECLINED', 'no');
    };
    const { definition } = recording({ a: { action }, b: {} });
    const run = await bench.begin(definition, 'both');
    expect(await run()).to.deep.equal({ kind: 'failed', failure: WHY });
  });

  it('is not turned round once it has reached its pivot, nor when it is over', async () => {
    const accepted: boolean[] = [];
    const { definition } = recording({ a: {}, pivot: { action: async () => void accepted.push(await cancel(definition, 'late')) }, after: {} }, 'pivot');
    const run = await bench.begin(definition, 'late');
    expect(await run()).to.deep.equal({ kind: 'completed' });
    accepted.push(await cancel(definition, 'late'));
    expect(accepted).to.deep.equal([false, false]);
  });

  it('turns round without another step when nobody held it: its process died, or it waits for an outage to end', async () => {
    const { definition, did } = recording({ a: {}, b: {} });
    // Begun and never run: the process died.
    await bench.begin(definition, 'orphan');
    expect(await cancel(definition, 'orphan')).to.equal(true);
    bench.runnerOf(definition).start();
    await until('it has failed', async () => (await bench.statusOf('orphan')) === 'FAILED');
    expect(did).to.deep.equal(['undo a']);
  });

  it('is cancelled once, however often that is asked for', async () => {
    const { definition, outcomes } = recording({
      a: { action: async () => void (await Promise.all([cancel(definition, 'often'), cancel(definition, 'often')])) },
      b: {},
    });
    const run = await bench.begin(definition, 'often');
    await run();
    expect(outcomes).to.have.length(1);
  });
});
