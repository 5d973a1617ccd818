import { Writable } from 'node:stream';

import { expect } from 'chai';

import { createLog } from '#kit';
import { findSaga, type SagaDefinition } from '#saga';

import { until } from '../database/until.ts';
import { recording, type SagaBench, startSagaBench, type State } from './saga-bench.ts';

/** A log that keeps what is said. */
function listening(): { log: ReturnType<typeof createLog>; lines: string[] } {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  return { log: createLog({ level: 'warn', destination }), lines };
}

describe('a saga after a deploy', () => {
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench({ leaseMs: 200 });
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  const versions = (): { first: ReturnType<typeof recording>; second: ReturnType<typeof recording> } => ({
    first: recording({ reserve: {}, charge: {} }),
    second: recording({ check: {}, reserve: {}, charge: {} }, 'charge', { version: 2 }),
  });

  it('ends by the version it began with, beside sagas of the new one', async () => {
    const { first, second } = versions();
    // The old program dies before it has run anything.
    await bench.begin(first.definition, 'of-the-first');
    const deployed = bench.runnerOf([second.definition, first.definition]);
    deployed.start();
    const run = await bench.begin(second.definition, 'of-the-second', deployed);
    await run();
    await until('the old one is over', async () => (await bench.statusOf('of-the-first')) === 'COMPLETED');
    expect(first.did).to.deep.equal(['reserve', 'charge']);
    expect(second.did).to.deep.equal(['check', 'reserve', 'charge']);
    expect([(await findSaga(bench.database, 'of-the-first'))?.version, (await findSaga(bench.database, 'of-the-second'))?.version]).to.deep.equal([1, 2]);
  });

  it('waits for a process that knows its version, which is said once and counted, and is not touched meanwhile', async () => {
    const { first, second } = versions();
    await bench.begin(second.definition, 'unknown');
    const { log, lines } = listening();
    const old = bench.runnerOf(first.definition, { log });
    await bench.database.query({ name: 'test.due', text: `UPDATE saga SET due_time = now()` }, []);
    old.start();
    await until('it is counted', () => old.read().unknownVersion === 1);
    expect(lines.filter((line) => line.includes('test version 2'))).to.have.length(1);
    const [row] = await bench.database.query<{ fence: bigint }>({ name: 'test.fence', text: 'SELECT fence FROM saga' }, []);
    expect(row?.fence, 'nobody has claimed it').to.equal(1n);
    bench.runnerOf([first.definition, second.definition]).start();
    await until('it is over', async () => (await bench.statusOf('unknown')) === 'COMPLETED');
  });

  it('is undone up to its own pivot, whatever that of the newest version is', async () => {
    const { cancelSaga } = await import('#saga');
    const late = recording({ a: {}, b: {}, c: {} });
    const early: SagaDefinition<State> = { ...recording({ a: {}, b: {}, c: {} }, 'a').definition, version: 2 };
    await bench.begin(late.definition, 'cancelled');
    const why = { reason: 'CANCELLED_BY_CALLER', message: 'called off' };
    expect(await cancelSaga(bench.database, early, 'cancelled', why)).to.equal(true);
  });

  it('is not even begun twice by the same name and version', () => {
    const { definition } = recording({ a: {} });
    expect(() => bench.runnerOf([definition, { ...definition }])).to.throw('test version 1 is defined twice');
  });
});
