import { createServer } from 'node:net';
import { once } from 'node:events';

import { expect } from 'chai';

import { expectRefusal } from './expect-refusal.ts';
import { startProxy } from './cutting-proxy.ts';
import { openTestDatabase } from './open-test-database.ts';
import { createTestDatabase, type TestDatabase } from './postgres-fixture.ts';
import { until } from './until.ts';

const one = { name: 'test.one', text: 'SELECT 1 AS one' };
const sleep = { name: 'test.sleep', text: 'SELECT pg_sleep($1)' };

describe('a database in trouble', () => {
  let place: TestDatabase;

  before(async function () {
    this.timeout(20_000);
    place = await createTestDatabase();
  });

  after(() => place.drop());

  function changed(change: (url: URL) => void): string {
    const url = new URL(place.url);
    change(url);
    return url.href;
  }

  it('says that nothing answers at the address, without showing the URL', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    server.close();
    await once(server, 'close');
    const database = openTestDatabase({ url: `postgres://someone:hidden@127.0.0.1:${port}/shop` });
    for (const failing of [() => database.query(one, []), () => database.transaction('test.none', async () => undefined), () => database.ping()]) {
      const { message } = await expectRefusal('DATABASE_UNAVAILABLE', failing());
      expect(message).to.contain(`the database 127.0.0.1:${port}/shop does not answer`).and.contain('DATABASE_URL');
      expect(message).to.not.match(/someone|hidden/);
    }
    await database.stop();
  });

  it('says that the password is wrong', async () => {
    const database = openTestDatabase({ url: changed((url) => (url.password = 'wrong')) });
    const error = await expectRefusal('DATABASE_UNAVAILABLE', database.query(one, []));
    expect(error.message).to.contain('user or password');
    await database.stop();
  });

  it('says that there is no database of that name', async () => {
    const database = openTestDatabase({ url: changed((url) => (url.pathname = '/nowhere')) });
    const error = await expectRefusal('DATABASE_UNAVAILABLE', database.query(one, []));
    expect(error.message).to.contain(':5432/nowhere does not exist');
    await database.stop();
  });

  for (const url of ['', 'not a url', 'http://localhost/shop', 'postgres://localhost', 'postgres://u:pass#word@h/x']) {
    it(`refuses "${url}" as DATABASE_URL`, () => {
      expect(() => openTestDatabase({ url })).to.throw(/DATABASE_URL/);
    });
  }

  it('says that every connection of the pool is busy, and works when one is free', async () => {
    const database = openTestDatabase({ url: place.url, maxConnections: 1, acquireTimeoutMs: 1_000 });
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const holder = database.transaction('test.hold', async () => {
      begin();
      await done;
    });
    await begun;
    const error = await expectRefusal('DATABASE_UNAVAILABLE', database.query(one, []));
    expect(error.metadata['trouble']).to.equal('exhausted');
    finish();
    await holder;
    expect(await database.query(one, [])).to.deep.equal([{ one: 1 }]);
    await database.stop();
  });

  it('takes a busy pool that keeps answering for alive', async () => {
    const database = openTestDatabase({ url: place.url, maxConnections: 1 });
    await database.query(one, []);
    const work = [database.query(sleep, [0.2]), database.query(sleep, [0.2])];
    await database.ping();
    await Promise.all(work);
    await database.stop();
  });

  it('cancels a statement that takes too long', async () => {
    const database = openTestDatabase({ url: place.url, statementTimeoutMs: 50 });
    const error = await expectRefusal('DATABASE_UNAVAILABLE', database.query(sleep, [30]));
    expect(error.metadata['trouble']).to.equal('slow');
    await database.stop();
  });

  it('gives up on a server that falls silent, and still stops', async function () {
    this.timeout(20_000);
    const proxy = await startProxy(place.url);
    const limits = { maxConnections: 1, statementTimeoutMs: 500, acquireTimeoutMs: 300 };
    const database = openTestDatabase({ url: proxy.url, ...limits });
    await database.query(one, []);
    proxy.goSilent();
    const asked = performance.now();
    await expectRefusal('DATABASE_UNAVAILABLE', database.ping());
    expect(performance.now() - asked, 'ping fails before the statement does').to.be.below(2_400);
    // The probe still has the only connection; when the driver gives that up, another one is tried.
    await until('the silence was noticed', async () => {
      const error = await expectRefusal('DATABASE_UNAVAILABLE', database.query(one, []));
      return error.metadata['trouble'] === 'unreachable';
    });
    await database.stop();
    await proxy.stop();
  });
});
