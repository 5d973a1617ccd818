import { expect } from 'chai';

import { refusal, systemClock } from '#kit';

import { until } from '../database/until.ts';
import { recording, type SagaBench, startSagaBench, type State } from './saga-bench.ts';

describe('a saga', () => {
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench();
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  it('runs its steps in order, and hands on what they learn', async () => {
    let seen: string | undefined;
    const { definition, did } = recording({
      first: { action: async () => ({ learnt: 'something' }) },
      second: { action: async ({ learnt }) => void (seen = learnt) },
    });
    const run = await bench.begin(definition, 'in-order');
    expect(await run()).to.deep.equal({ kind: 'completed' });
    expect(did).to.deep.equal(['first', 'second']);
    expect(seen).to.equal('something');
    expect(await bench.statusOf('in-order')).to.equal('COMPLETED');
  });

  it('undoes every step in reverse when one is refused, also that one: an earlier try may have taken effect', async () => {
    const { definition, did, outcomes } = recording({
      a: {},
      b: {},
      c: { action: () => Promise.reject(refusal('CARD_DECLINED', 'no money')) },
    });
    const run = await bench.begin(definition, 'refused');
    expect(await run()).to.deep.equal({ kind: 'failed', failure: { reason: 'CARD_DECLINED', message: 'no money' } });
    expect(did).to.deep.equal(['a', 'b', 'c', 'undo c', 'undo b', 'undo a']);
    expect(outcomes).to.have.length(1);
  });

  it('tries again what may have taken effect, and undoes that too if it is refused later', async () => {
    let tries = 0;
    const flaky = async (): Promise<void> => {
      tries += 1;
      throw tries < 3 ? refusal('UNREACHABLE', 'gone') : refusal('CARD_DECLINED', 'no');
    };
    const { definition, did } = recording({ a: {}, b: { action: flaky } });
    const run = await bench.begin(definition, 'flaky');
    expect((await run())?.kind).to.equal('failed');
    expect(did).to.deep.equal(['a', 'b', 'b', 'b', 'undo b', 'undo a']);
  });

  it('tries a compensation again until it succeeds', async () => {
    let tries = 0;
    const { definition, did } = recording({
      a: { compensate: async () => void ((tries += 1) < 3 && (await Promise.reject(new Error('still down')))) },
      b: { action: () => Promise.reject(refusal('OUT_OF_STOCK', 'none')) },
    });
    const run = await bench.begin(definition, 'compensation');
    expect((await run())?.kind).to.equal('failed');
    expect(did).to.deep.equal(['a', 'b', 'undo b', 'undo a', 'undo a', 'undo a']);
  });

  it('that was begun and never run is taken over when its lease runs out', async () => {
    const { definition, did } = recording({ a: {} });
    await bench.begin(definition, 'orphan');
    bench.runnerOf(definition).start();
    await until('it is completed', async () => (await bench.statusOf('orphan')) === 'COMPLETED');
    expect(did).to.deep.equal(['a']);
  });

  it('is not taken over while its step takes longer than the lease', async () => {
    const slow = { action: () => systemClock.sleep(1_500) };
    const { definition, did } = recording({ slow, after: {} });
    const [owner, other] = [bench.runnerOf(definition), bench.runnerOf(definition)];
    owner.start();
    other.start();
    const run = await bench.begin(definition, 'slow', owner);
    expect(await run()).to.deep.equal({ kind: 'completed' });
    expect(did).to.deep.equal(['slow', 'after']);
  });

  it('is let go at once by a process that stops, and finished by another', async () => {
    const started = Promise.withResolvers<void>();
    const action = async (_state: State, { signal }: { signal: AbortSignal }): Promise<void> => {
      started.resolve();
      await systemClock.sleep(60_000, signal).catch(() => {
        throw refusal('CANCELLED', 'stopping');
      });
    };
    const { definition } = recording({ a: { action } });
    const stopping = bench.runnerOf(definition);
    const run = await bench.begin(definition, 'let-go', stopping);
    const mine = run();
    await started.promise;
    await stopping.stop();
    expect(await mine).to.equal(undefined);
    const { definition: quick } = recording({ a: {} });
    bench.runnerOf(quick).start();
    await until('it is completed', async () => (await bench.statusOf('let-go')) === 'COMPLETED');
  });

  it('may belong to no transaction: then it begins together with others', async () => {
    const { definition, did } = recording({ a: {}, b: {} });
    const runner = bench.runnerOf(definition);
    const outcomes = await Promise.all(['x', 'y', 'z'].map((sagaId) => runner.execute(definition, { sagaId, subject: 'test', state: {} })));
    expect(outcomes.map((outcome) => outcome?.kind)).to.deep.equal(['completed', 'completed', 'completed']);
    expect(did.filter((step) => step === 'b')).to.have.length(3);
    const twice = await runner.execute(definition, { sagaId: 'x', subject: 'test', state: {} }).catch((thrown: unknown) => thrown);
    expect(twice).to.be.instanceOf(Error);
  });

  it('that waits for an outage to end holds up nobody else, however many wait', async () => {
    let outage = true;
    const { definition } = recording({ a: { action: () => (outage ? Promise.reject(refusal('UNREACHABLE', 'gone')) : Promise.resolve()) }, b: {} });
    const runner = bench.runnerOf(definition, { retry: { firstPauseMs: 1_500 } });
    runner.start();
    const waiting = Array.from({ length: 40 }, (_, index) => `waiting-${index}`);
    for (const sagaId of waiting) await bench.begin(definition, sagaId);
    await until('all of them were tried, and wait', async () => {
      const [row] = await bench.database.query<{ tried: bigint }>({ name: 'test.tried', text: 'SELECT count(*) AS tried FROM saga WHERE attempt >= 1' }, []);
      return row?.tried === 40n;
    });
    outage = false;
    await until('all of them are completed', async () => (await Promise.all(waiting.map((sagaId) => bench.statusOf(sagaId)))).every((status) => status === 'COMPLETED'));
  });
});
