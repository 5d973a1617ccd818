import { expect } from 'chai';

import { runSql, startTestServer, type TestServer } from '../database/postgres-fixture.ts';
import { until } from '../database/until.ts';
import { type EventBench, numbered, startEventBench, upTo } from './event-bench.ts';

describe('events whose Postgres is killed', function () {
  this.timeout(60_000);
  let server: TestServer;
  let bench: EventBench;
  before(async () => {
    server = await startTestServer();
    const url = server.postgres.url('postgres');
    bench = await startEventBench({ url, drop: () => runSql(url, 'DROP SCHEMA shop, event_log CASCADE') });
  });
  after(async () => {
    await bench?.stop();
    await server?.remove();
  });

  it('have their effects once and in order when it is back', async () => {
    for (const _instance of [1, 2]) {
      bench.relayOf({ batchSize: 5 }).start();
      bench.consumerOf({ bus: bench.busOf() }).start();
    }
    for (const number of upTo(20)) await bench.append([numbered('a', number), numbered('b', number)]);
    await until('some have had their effect', async () => (await bench.effects()).length > 3);
    process.kill(server.postgres.pid, 'SIGKILL');
    await server.postgres.ended;
    await server.restart();
    for (const number of upTo(5)) await bench.append([numbered('a', 20 + number), numbered('b', 20 + number)]);
    await until('all have', async () => (await bench.effects()).length >= 50);
    const effects = await bench.effects();
    for (const subject of ['a', 'b']) {
      expect(effects.filter((effect) => effect.subject === subject).map(({ number }) => number)).to.deep.equal(upTo(25));
    }
  });
});
