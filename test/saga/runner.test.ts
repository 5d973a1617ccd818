import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { type Database, migrate } from '#database';
import { refusal, silentLog, systemClock, systemRandom } from '#kit';
import { createSagaRunner, type Outcome, type SagaDefinition, sagaMigrations, type SagaRunner, type SagaStep } from '#saga';

import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase, type TestDatabase } from '../database/postgres-fixture.ts';
import { until } from '../database/until.ts';

interface State {
  readonly learnt?: string;
}

/** A definition that writes down what it does. */
function recording(steps: Readonly<Record<string, Partial<SagaStep<State>>>>): { definition: SagaDefinition<State>; did: string[]; outcomes: Outcome[] } {
  const did: string[] = [];
  const outcomes: Outcome[] = [];
  const definition: SagaDefinition<State> = {
    name: 'test',
    steps: Object.entries(steps).map(([name, step]) => ({
      name,
      async action(state, context) {
        did.push(name);
        return step.action?.(state, context);
      },
      async compensate(state, context) {
        did.push(`undo ${name}`);
        await step.compensate?.(state, context);
      },
    })),
    onFinished: async (_tx, _id, _state, outcome) => void outcomes.push(outcome),
  };
  return { definition, did, outcomes };
}

describe('a saga', () => {
  let test: TestDatabase;
  let database: Database;
  const runners: SagaRunner<State>[] = [];
  before(async () => {
    test = await createTestDatabase();
    await migrate({ url: test.url, schema: 'shop', components: [sagaMigrations], log: silentLog });
    database = openTestDatabase({ url: test.url, maxConnections: 10 });
  });
  afterEach(async () => {
    await Promise.all(runners.splice(0).map((runner) => runner.stop()));
    await database.query({ name: 'test.clear', text: 'DELETE FROM saga' }, []);
  });
  after(async () => {
    await database?.stop();
    await test?.drop();
  });

  function runnerOf(definition: SagaDefinition<State>): SagaRunner<State> {
    const runner = createSagaRunner(definition, {
      database,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      tracer: trace.getTracer('test'),
      leaseMs: 600,
      pollMs: 50,
    });
    runners.push(runner);
    return runner;
  }

  async function begin(runner: SagaRunner<State>, id: string): Promise<() => Promise<Outcome | undefined>> {
    return (await database.transaction('test.begin', (tx) => runner.begin(tx, id, {}))).run;
  }

  async function statusOf(id: string): Promise<string | undefined> {
    const [row] = await database.query<{ status: string }>({ name: 'test.status', text: 'SELECT status FROM saga WHERE saga_id = $1' }, [id]);
    return row?.status;
  }

  it('runs its steps in order, and hands on what they learn', async () => {
    let seen: string | undefined;
    const { definition, did } = recording({
      first: { action: async () => ({ learnt: 'something' }) },
      second: { action: async ({ learnt }) => void (seen = learnt) },
    });
    const run = await begin(runnerOf(definition), 'in-order');
    expect(await run()).to.deep.equal({ kind: 'completed' });
    expect(did).to.deep.equal(['first', 'second']);
    expect(seen).to.equal('something');
    expect(await statusOf('in-order')).to.equal('COMPLETED');
  });

  it('undoes every step in reverse when one is refused, also that one: an earlier try may have taken effect', async () => {
    const { definition, did, outcomes } = recording({
      a: {},
      b: {},
      c: { action: () => Promise.reject(refusal('CARD_DECLINED', 'no money')) },
    });
    const run = await begin(runnerOf(definition), 'refused');
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
    const run = await begin(runnerOf(definition), 'flaky');
    expect((await run())?.kind).to.equal('failed');
    expect(did).to.deep.equal(['a', 'b', 'b', 'b', 'undo b', 'undo a']);
  });

  it('tries a compensation again until it succeeds', async () => {
    let tries = 0;
    const { definition, did } = recording({
      a: { compensate: async () => void ((tries += 1) < 3 && (await Promise.reject(new Error('still down')))) },
      b: { action: () => Promise.reject(refusal('OUT_OF_STOCK', 'none')) },
    });
    const run = await begin(runnerOf(definition), 'compensation');
    expect((await run())?.kind).to.equal('failed');
    expect(did).to.deep.equal(['a', 'b', 'undo b', 'undo a', 'undo a', 'undo a']);
  });

  it('that was begun and never run is taken over when its lease runs out', async () => {
    const { definition, did } = recording({ a: {} });
    await begin(runnerOf(definition), 'orphan');
    runnerOf(definition).start();
    await until('it is completed', async () => (await statusOf('orphan')) === 'COMPLETED');
    expect(did).to.deep.equal(['a']);
  });

  it('is not taken over while its step takes longer than the lease', async () => {
    const slow = { action: () => systemClock.sleep(1_500) };
    const { definition, did } = recording({ slow, after: {} });
    const [owner, other] = [runnerOf(definition), runnerOf(definition)];
    owner.start();
    other.start();
    const run = await begin(owner, 'slow');
    expect(await run()).to.deep.equal({ kind: 'completed' });
    expect(did).to.deep.equal(['slow', 'after']);
  });

  it('cannot be written any more by a process that lost it', async () => {
    const { promise: paused, resolve: wake } = Promise.withResolvers<void>();
    let first = true;
    const action = async (): Promise<State> => {
      if (!first) return { learnt: 'by the new owner' };
      first = false;
      await paused;
      return { learnt: 'by the old owner' };
    };
    const { definition, outcomes } = recording({ a: { action } });
    // Not started, so it renews nothing: a process that hangs.
    const run = await begin(runnerOf(definition), 'fenced');
    const old = run();
    runnerOf(definition).start();
    await until('the other one has finished it', async () => (await statusOf('fenced')) === 'COMPLETED');
    wake();
    expect(await old).to.equal(undefined);
    const [row] = await database.query<{ state: State }>({ name: 'test.state', text: `SELECT state FROM saga WHERE saga_id = 'fenced'` }, []);
    expect(row?.state).to.deep.equal({ learnt: 'by the new owner' });
    expect(outcomes).to.have.length(1);
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
    const stopping = runnerOf(definition);
    const run = await begin(stopping, 'let-go');
    const mine = run();
    await started.promise;
    await stopping.stop();
    expect(await mine).to.equal(undefined);
    const { definition: quick } = recording({ a: {} });
    runnerOf(quick).start();
    await until('it is completed', async () => (await statusOf('let-go')) === 'COMPLETED');
  });
});
