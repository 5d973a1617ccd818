import { expect } from 'chai';

import { until } from '../database/until.ts';
import { recording, type SagaBench, startSagaBench, type State } from './saga-bench.ts';

const LEASE_MS = 600;

describe('a saga whose process dies or hangs', () => {
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench({ leaseMs: LEASE_MS });
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  /** A saga that one process holds, paused in its first step, while another one has taken it over and is paused in the same. */
  async function twoOwners(sagaId: string, withoutFence: boolean): Promise<{ wakeOld(): Promise<unknown>; wakeNew(): Promise<void>; outcomes: unknown[] }> {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let tries = 0;
    const action = async (): Promise<State> => {
      const mine = (tries += 1) === 1 ? 'the old owner' : 'the new owner';
      await gates[tries - 1]?.promise;
      return { learnt: mine };
    };
    const { definition, outcomes } = recording({ a: { action }, b: {} });
    // Not started, so it renews nothing: a process that hangs.
    const run = await bench.begin(definition, sagaId, bench.runnerOf(definition, { hooks: { withoutFence } }));
    const old = run();
    bench.runnerOf(definition).start();
    await until('the other one is in the step too', () => tries === 2);
    return {
      async wakeOld() {
        gates[0]?.resolve();
        return old;
      },
      async wakeNew() {
        gates[1]?.resolve();
        await until('it is completed', async () => (await bench.statusOf(sagaId)) === 'COMPLETED');
      },
      outcomes,
    };
  }

  async function learnt(sagaId: string): Promise<string | undefined> {
    const [row] = await bench.database.query<{ state: State }>({ name: 'test.state', text: 'SELECT state FROM saga WHERE saga_id = $1' }, [sagaId]);
    return row?.state.learnt;
  }

  it('is taken over soon after its lease has run out', async function () {
    const { definition } = recording({ a: {} });
    const slow = bench.runnerOf(definition, { pollMs: 500 });
    slow.start();
    const begunAt = performance.now();
    await bench.begin(definition, 'taken-over');
    await until('it is completed', async () => (await bench.statusOf('taken-over')) === 'COMPLETED');
    const tookMs = performance.now() - begunAt;
    expect(tookMs, 'not before the lease ran out').to.be.greaterThan(LEASE_MS - 50);
    // Lease plus one second is the promise; a test on a busy machine gives five times that.
    expect(tookMs).to.be.lessThan((LEASE_MS + 1_000) * 5);
    expect(slow.read()).to.include({ takenOver: 1, steps: 1 });
  });

  it('is not written any more by the process that wakes up: its fence is too low', async () => {
    const { wakeOld, wakeNew, outcomes } = await twoOwners('fenced', false);
    expect(await wakeOld()).to.equal(undefined);
    expect(await learnt('fenced'), 'nothing was written').to.equal(undefined);
    await wakeNew();
    expect(await learnt('fenced')).to.equal('the new owner');
    expect(outcomes).to.have.length(1);
  });

  it('would be written by both, were the fence not looked at', async () => {
    const { wakeOld, wakeNew } = await twoOwners('unfenced', true);
    expect(await wakeOld(), 'the old one runs it to its end').to.deep.equal({ kind: 'completed' });
    expect(await learnt('unfenced')).to.equal('the old owner');
    await wakeNew();
  });
});
