import { expect } from 'chai';

import { newId, systemClock, systemRandom } from '#kit';
import { intervene } from '#saga';

import { sweepFinished } from '../../saga/retention.ts';
import { recording, type SagaBench, startSagaBench } from './saga-bench.ts';

const DAY_MS = 24 * 3_600_000;
const KEEP_MS = 30 * DAY_MS;

describe('sagas that have been over for long', () => {
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench();
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  /** A saga that came to this state so long ago. */
  async function old(status: string, ageMs: number): Promise<string> {
    const sagaId = newId({ ...systemClock, now: () => Date.now() - ageMs }, systemRandom);
    await bench.begin(recording({ a: {} }).definition, sagaId);
    await bench.database.query(
      { name: 'test.age', text: `UPDATE saga SET status = $2, update_time = now() - $3 * interval '1 millisecond' WHERE saga_id = $1` },
      [sagaId, status, ageMs],
    );
    return sagaId;
  }

  it('are deleted after their time, batch by batch, the oldest first', async () => {
    const ids = [await old('COMPLETED', 40 * DAY_MS), await old('FAILED', 35 * DAY_MS), await old('COMPLETED', 31 * DAY_MS)];
    const young = await old('COMPLETED', 29 * DAY_MS);
    expect(await sweepFinished(bench.database, Date.now(), KEEP_MS, 2)).to.equal(2);
    expect([await bench.statusOf(ids[1] ?? ''), await bench.statusOf(ids[2] ?? '')]).to.deep.equal([undefined, 'COMPLETED']);
    expect(await sweepFinished(bench.database, Date.now(), KEEP_MS, 2)).to.equal(1);
    expect(await bench.statusOf(young)).to.equal('COMPLETED');
  });

  it('stay as long as they are not over, and as long as they have not been over for so long', async () => {
    const stuck = await old('STUCK', 40 * DAY_MS);
    const late = await old('COMPLETED', 40 * DAY_MS);
    await bench.database.query({ name: 'test.late', text: 'UPDATE saga SET update_time = now() WHERE saga_id = $1' }, [late]);
    expect(await sweepFinished(bench.database, Date.now(), KEEP_MS)).to.equal(0);
    expect([await bench.statusOf(stuck), await bench.statusOf(late)]).to.deep.equal(['STUCK', 'COMPLETED']);
  });

  it('take what operators did to them along', async () => {
    const sagaId = await old('STUCK', 40 * DAY_MS);
    await intervene(bench.database, 'RETRY', { sagaId, who: 'ada', why: 'ticket 42' });
    await bench.database.query({ name: 'test.end', text: `UPDATE saga SET status = 'COMPLETED', update_time = now() - interval '40 days' WHERE saga_id = $1` }, [sagaId]);
    expect(await sweepFinished(bench.database, Date.now(), KEEP_MS)).to.equal(1);
    const left = await bench.database.query({ name: 'test.left', text: 'SELECT FROM saga_intervention' }, []);
    expect(left).to.have.length(0);
  });
});
