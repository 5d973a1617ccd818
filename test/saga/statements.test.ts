import { expect } from 'chai';

import { advance } from '../../saga/advance.ts';
import { findFailing } from '../../saga/operator-store.ts';
import { claimDue, renew } from '../../saga/store.ts';
import { planOf } from '../database/plan-of.ts';
import { BEGUN } from './begun.ts';
import { recording, type SagaBench, startSagaBench } from './saga-bench.ts';

describe('the statements of running sagas', () => {
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench();
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  it('go by the primary key, and to what is due by its index, also when they were planned while the table was empty', async () => {
    const advancing = await planOf(bench.url, (db) => advance(db, [{ saga: BEGUN, ran: 0 }]));
    const renewing = await planOf(bench.url, (db) => renew(db, [BEGUN], 5_000));
    const claiming = await planOf(bench.url, (db) => claimDue(db, [{ definition: 'test', version: 1 }], 32, 5_000));
    expect(await planOf(bench.url, (db) => findFailing(db, 2))).to.include('saga_due_by_version').and.not.include('Seq Scan on saga');
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
