import { expect } from 'chai';
import pg from 'pg';

import type { Queryable } from '#database';

import { advance } from '../../saga/advance.ts';
import { claimDue, renew } from '../../saga/store.ts';
import { BEGUN } from './begun.ts';
import { recording, type SagaBench, startSagaBench } from './saga-bench.ts';

describe('the statements of running sagas', () => {
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench();
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  /** How Postgres goes about the statement that `run` sends, when it plans it once for all values. */
  async function planOf(run: (db: Queryable) => Promise<unknown>): Promise<string> {
    const client = new pg.Client(bench.url);
    await client.connect();
    const plan: string[] = [];
    const explain: Queryable = {
      async query({ text }) {
        await client.query(`SET search_path TO shop; SET plan_cache_mode = force_generic_plan; PREPARE asked AS ${text}`);
        const values = Array.from({ length: Math.max(...[...text.matchAll(/\$(\d+)/g)].map(([, index]) => Number(index))) }, () => 'NULL');
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN EXECUTE asked (${values.join(', ')})`);
        plan.push(...rows.map((row) => row['QUERY PLAN']));
        return [];
      },
    };
    try {
      await run(explain);
    } finally {
      await client.end();
    }
    return plan.join('\n');
  }

  it('go by the primary key, and to what is due by its index, also when they were planned while the table was empty', async () => {
    const advancing = await planOf((db) => advance(db, [{ saga: BEGUN, ran: 0 }]));
    const renewing = await planOf((db) => renew(db, [BEGUN], 5_000));
    const claiming = await planOf((db) => claimDue(db, [{ definition: 'test', version: 1 }], 32, 5_000));
    for (const plan of [advancing, renewing, claiming]) expect(plan).to.include('Index Scan using saga_pkey').and.not.include('Seq Scan on saga');
    expect(claiming).to.match(/Index Scan using saga_due_by_version on saga saga_1 .*\n +Index Cond: \(\(definition = .*due_time <= now\(\)\)\)/);
    expect(`${advancing}${renewing}`).to.not.include('saga_due_by_version');
  });

  it('leave the indexes alone while a saga is on its way: its row is updated in place', async () => {
    await bench.begin(recording({ a: {} }).definition, BEGUN.sagaId);
    const counted = await bench.database.transaction('test.hot', async (tx) => {
      for (const step of [1, 2, 3]) await advance(tx, [{ saga: { ...BEGUN, step }, ran: step - 1 }]);
      const text = `SELECT pg_stat_get_xact_tuples_updated('saga'::regclass)::int AS updated, pg_stat_get_xact_tuples_hot_updated('saga'::regclass)::int AS in_place`;
      return tx.query({ name: 'test.hot', text }, []);
    });
    expect(counted).to.deep.equal([{ updated: 3, in_place: 3 }]);
  });

  it('write many sagas at once, each by its own fence', async () => {
    const { definition } = recording({ a: {} });
    for (const sagaId of ['one', 'two', 'three']) await bench.begin(definition, sagaId);
    const group = ['three', 'one', 'two'].map((sagaId) => ({ saga: { ...BEGUN, sagaId, step: 1, fence: sagaId === 'one' ? 7n : 1n }, ran: 0 }));
    expect((await advance(bench.database, group)).map((saga) => saga?.sagaId)).to.deep.equal(['three', undefined, 'two']);
    expect(await advance(bench.database, group, true), 'were the fence not looked at').to.have.length(3).and.not.include(undefined);
  });
});
