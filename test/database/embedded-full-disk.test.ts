import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { migrate } from '#database';
import { silentLog } from '#kit';

import { expectRefusal } from './expect-refusal.ts';
import { makeTestFolder, runSql } from './postgres-fixture.ts';
import { isRunning } from './processes.ts';
import { refused, type Runner, started, startRunner } from './start-runner.ts';
import { canMakeTinyDisk, makeTinyDisk, type TinyDisk } from './tiny-disk.ts';
import { until } from './until.ts';

/** Only where one may mount a disk; full-disk.test.ts holds everywhere what the shop itself promises. */
const describeOnTinyDisk: (title: string, suite: (this: Mocha.Suite) => void) => unknown = (await canMakeTinyDisk()) ? describe : () => undefined;

const GIVEN_UP_WITHIN_MS = 60_000;

describeOnTinyDisk('an embedded Postgres on a disk that is full', function () {
  this.timeout(120_000);
  let disk: TinyDisk;
  const runners: Runner[] = [];

  before(async () => {
    disk = (await makeTinyDisk(150)) ?? expect.fail('no disk could be mounted');
  });

  afterEach(async () => {
    for (const runner of runners.splice(0)) await runner.stop();
  });

  after(() => disk?.remove());

  async function start(): Promise<Runner> {
    const runner = await startRunner(`${disk.folder}/data`, { through: disk.through });
    runners.push(runner);
    return runner;
  }

  for (const [what, leaveBytes] of [['no room at all', 0], ['room for a few files', 1_000_000], ['room for most of a database', 30_000_000]] as const) {
    it(`says so when it is to make its first database with ${what}`, async () => {
      await disk.fill(leaveBytes);
      const { reason, message } = refused(await start());
      await disk.free();
      expect(reason).to.equal('START_FAILED');
      expect(message).to.contain(`the disk of ${disk.folder}/data is full`);
    });
  }

  it('then makes it when there is room', async () => {
    await runSql(started(await start()).url, 'CREATE TABLE kept AS SELECT 1 AS id');
  });

  it('when even its log finds no room it gives up, says so at the next start, and has lost nothing once there is room', async () => {
    const runner = await start();
    const { url, pid } = started(runner);
    await runSql(url, 'INSERT INTO kept VALUES (2)');
    await disk.fill();
    // Goes into the write-ahead log and nowhere else.
    const talk = `SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000)) FROM generate_series(1, 20)`;
    await until('Postgres has given up', async () => {
      await runSql(url, talk).catch(() => undefined);
      return !(await isRunning(pid));
      // It first fills what room its log has left, and syncs that, on a disk that others use too.
    }, GIVEN_UP_WITHIN_MS);
    await runner.stop();
    const { reason, message } = refused(await start());
    expect(reason).to.equal('START_FAILED');
    expect(message).to.contain('is full').and.contain('what was committed is safe');

    await disk.free();
    const again = started(await start()).url;
    await runSql(again, `INSERT INTO kept VALUES (3); DO $$ BEGIN ASSERT (SELECT array_agg(id ORDER BY id) FROM kept) = '{1,2,3}'; END $$`);
  });

  it('leaves the tables as they were when a migration finds no room, and goes on later', async () => {
    const { url } = started(await start());
    const directory = await makeTestFolder();
    await writeFile(join(directory, '001.do.much.sql'), `CREATE TABLE much AS SELECT repeat(md5(n::text), 200) AS text FROM generate_series(1, 1000) AS n;`);
    const run = (): Promise<string[]> => migrate({ url, schema: 'order', components: [{ name: 'much', directory }], log: silentLog });
    await disk.fill();
    const error = await expectRefusal('DATABASE_UNAVAILABLE', run());
    await disk.free();
    expect(error.message).to.contain('is full');
    expect(await run()).to.deep.equal(['much/001.do.much.sql']);
    await rm(directory, { recursive: true });
  });
});
