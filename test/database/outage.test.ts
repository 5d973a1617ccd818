import { Writable } from 'node:stream';

import { expect } from 'chai';

import { createLog } from '#kit';
import { isAlive } from '../checks/support/is-alive.ts';
import { expectRefusal } from './expect-refusal.ts';
import { openTestDatabase } from './open-test-database.ts';
import { runSql, startTestServer, type TestServer } from './postgres-fixture.ts';
import { until } from './until.ts';

const insert = { name: 'mark.insert', text: 'INSERT INTO mark VALUES ($1)' };
const list = { name: 'mark.list', text: 'SELECT id FROM mark ORDER BY id' };
const listBackends = { name: 'mark.backends', text: 'SELECT pid FROM pg_stat_activity' };
const notify = { name: 'mark.notify', text: `SELECT pg_notify('shop_marks', 'again')` };

describe('Postgres gone and back', function () {
  this.timeout(60_000);
  let server: TestServer;

  before(async () => {
    server = await startTestServer();
    await runSql(server.postgres.url('postgres'), 'CREATE SCHEMA shop; CREATE TABLE shop.mark (id int)');
  });

  after(() => server.remove());

  for (const how of ['SIGKILL', 'SIGINT'] as const) {
    it(`after ${how}: statements are refused, then work again, and nothing committed is lost`, async () => {
      const said: string[] = [];
      const destination = new Writable({
        write(line: Buffer, _encoding, done) {
          said.push((JSON.parse(line.toString()) as { msg: string }).msg);
          done();
        },
      });
      const database = openTestDatabase({ url: server.postgres.url('postgres'), log: createLog({ level: 'info', destination }) });
      const heard: string[] = [];
      await database.listen('shop_marks', (payload) => heard.push(payload));
      await database.query({ name: 'mark.clear', text: 'DELETE FROM mark' }, []);
      // Several connections are idle when it goes.
      await Promise.all([1, 2, 3].map((id) => database.query(insert, [id])));
      const backends = await database.query<{ pid: number }>(listBackends, []);

      process.kill(server.postgres.pid, how);
      await server.postgres.ended;
      // They outlive it until they notice, and answer.
      await until('its backends have ended', () => !backends.some(({ pid }) => isAlive(pid)));
      const error = await expectRefusal('DATABASE_UNAVAILABLE', database.query(insert, [4]));
      expect(error.metadata['trouble']).to.equal('unreachable');
      await expectRefusal('DATABASE_UNAVAILABLE', database.ping());
      await expectRefusal('DATABASE_UNAVAILABLE', database.transaction('mark.insert', (tx) => tx.query(insert, [4])));

      await server.restart();
      await database.ping();
      expect(await database.query(list, [])).to.deep.equal([{ id: 1 }, { id: 2 }, { id: 3 }]);
      await until('it listens again', () => heard.includes(''));
      await database.query(notify, []);
      await until('it hears again', () => heard.includes('again'));
      await database.stop();
      expect(said).to.deep.equal([
        'the database does not answer; requests that need it are refused until it does',
        'the database answers again',
      ]);
    });
  }
});
