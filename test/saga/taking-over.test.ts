import { expect } from 'chai';

import { systemClock } from '#kit';

import { until } from '../database/until.ts';
import { recording, type SagaBench, startSagaBench } from './saga-bench.ts';

const NEVER_MS = 60_000;
const PLACES = 4;

describe('many sagas that nobody holds', () => {
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench({ concurrency: PLACES });
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  /** Sagas whose process has died, due now, and a definition that counts how many run at once. */
  async function orphans(count: number, gate = systemClock.sleep(0)): Promise<{ definition: ReturnType<typeof recording>['definition']; most: () => number; left: () => Promise<number> }> {
    let running = 0;
    let most = 0;
    const action = async (_state: unknown, { sagaId }: { sagaId: string }): Promise<void> => {
      if (!sagaId.startsWith('orphan')) return;
      running += 1;
      most = Math.max(most, running);
      await gate;
      await systemClock.sleep(5);
      running -= 1;
    };
    const { definition } = recording({ a: { action } });
    const text = `INSERT INTO saga (saga_id, definition, status, step, attempt, state, fence, due_time)
      SELECT 'orphan-' || number, 'test', 'RUNNING', 0, 0, '{}', 1, now() - interval '1 hour' FROM generate_series(1, $1::integer) AS number`;
    await bench.database.query({ name: 'test.orphans', text }, [count]);
    const read = { name: 'test.left', text: `SELECT count(*)::integer AS left FROM saga WHERE status = 'RUNNING'` };
    return { definition, most: () => most, left: async () => (await bench.database.query<{ left: number }>(read, []))[0]?.left ?? 0 };
  }

  it('are taken over a few at a time, one after another without waiting for the next look', async () => {
    const { definition, most, left } = await orphans(50);
    const runner = bench.runnerOf(definition, { pollMs: NEVER_MS });
    runner.start();
    await until('all are over', async () => (await left()) === 0);
    expect(most()).to.be.at.most(PLACES);
    expect(runner.read()).to.include({ takenOver: 50, running: 0 });
  });

  it('do not hold up those that begin here', async () => {
    const gate = Promise.withResolvers<void>();
    const { definition, left } = await orphans(20, gate.promise);
    const runner = bench.runnerOf(definition);
    runner.start();
    await until('every place is taken', () => runner.read().running === PLACES);
    for (let index = 0; index < 5; index += 1) {
      const run = await bench.begin(definition, `new-${index}`, runner);
      expect(await run()).to.deep.equal({ kind: 'completed' });
    }
    expect(await left(), 'none of the others has ended').to.equal(20);
    gate.resolve();
    await until('all are over', async () => (await left()) === 0);
  });

  it('are shared by the instances there are, none taken twice', async () => {
    const { definition, left } = await orphans(60);
    const runners = [bench.runnerOf(definition), bench.runnerOf(definition)];
    for (const runner of runners) runner.start();
    await until('all are over', async () => (await left()) === 0);
    expect(runners.reduce((sum, runner) => sum + runner.read().takenOver, 0)).to.equal(60);
  });
});
