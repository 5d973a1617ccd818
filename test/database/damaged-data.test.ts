import { cp, lchown, mkdir, open, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { type EmbeddedPostgres, startEmbeddedPostgres } from '#database/embedded';
import { silentLog } from '#kit';

import { expectRefusal } from './expect-refusal.ts';
import { openTestDatabase } from './open-test-database.ts';
import { makeTestFolder, runSql } from './postgres-fixture.ts';

/** What these tests spoil, within the data folder. */
const AT_RISK = ['global/pg_control', 'pg_wal', 'PG_VERSION'].map((path) => join('cluster', path));
const READ = { name: 'kept.read', text: 'SELECT id FROM kept' };

describe('data that are damaged', function () {
  this.timeout(60_000);
  let folder: string;
  let dataDir: string;
  let sound: string;
  let running: EmbeddedPostgres | undefined;

  before(async () => {
    folder = await makeTestFolder();
    dataDir = join(folder, 'data');
    sound = join(folder, 'sound');
    const { url, stop } = await start();
    await runSql(url('postgres'), 'CREATE SCHEMA shop; CREATE TABLE shop.kept AS SELECT 42 AS id; CHECKPOINT');
    await stop();
    for (const path of AT_RISK) await cp(join(dataDir, path), join(sound, path), { recursive: true });
  });

  afterEach(() => running?.stop());
  after(() => rm(folder, { recursive: true, force: true }));

  async function start(): Promise<EmbeddedPostgres> {
    running = await startEmbeddedPostgres({ dataDir, log: silentLog });
    return running;
  }

  const cluster = (...path: string[]): string => join(dataDir, 'cluster', ...path);

  describe('beyond use', () => {
    afterEach(async () => {
      const { uid, gid } = await stat(cluster());
      for (const path of AT_RISK) {
        await rm(join(dataDir, path), { recursive: true, force: true });
        await cp(join(sound, path), join(dataDir, path), { recursive: true });
        // Root's Postgres is another user, to whom the copy must belong.
        const below = (await readdir(join(dataDir, path), { recursive: true }).catch(() => [])).map((name) => join(path, name));
        for (const name of [path, ...below]) await lchown(join(dataDir, name), uid, gid);
      }
    });

    for (const [what, damage] of [
      ['a control file that was cut short', () => truncate(cluster('global', 'pg_control'), 100)],
      ['an empty control file', () => truncate(cluster('global', 'pg_control'), 0)],
      ['a control file of something else', () => writeFile(cluster('global', 'pg_control'), Buffer.alloc(8192, 7))],
      ['no control file', () => rm(cluster('global', 'pg_control'))],
      ['no write-ahead log', emptyLog],
    ] as const) {
      it(`for ${what}: they are refused, named and left as they are`, async () => {
        await damage();
        const before = await sizes();
        const error = await expectRefusal('START_FAILED', start());
        expect(error.message).to.contain('are damaged').and.contain(dataDir).and.contain('restore');
        expect(await sizes()).to.deep.equal(before);
      });
    }

    async function emptyLog(): Promise<void> {
      for (const name of await readdir(cluster('pg_wal'))) await rm(cluster('pg_wal', name), { recursive: true });
    }

    /** Every file with its size, but for what Postgres says, and the number of a process that has ended. */
    async function sizes(): Promise<Map<string, number>> {
      const found = new Map<string, number>();
      for (const name of await readdir(dataDir, { recursive: true })) {
        if (['postgres.log', join('cluster', 'postmaster.pid')].includes(name)) continue;
        const file = await stat(join(dataDir, name));
        if (file.isFile()) found.set(name, file.size);
      }
      return found;
    }

    for (const content of ['', 'garbage']) {
      it(`for a PG_VERSION of "${content}": they are refused and left as they are`, async () => {
        await writeFile(cluster('PG_VERSION'), content);
        const before = await sizes();
        const error = await expectRefusal('START_FAILED', start());
        expect(error.message).to.contain(dataDir).and.contain('begin anew');
        expect(await sizes()).to.deep.equal(before);
      });
    }
  });

  // After the others, which end with sound data.
  describe('but restored', () => {
    it('work again', async () => {
      const { url } = await start();
      await runSql(url('postgres'), `DO $$ BEGIN ASSERT (SELECT id FROM shop.kept) = 42; END $$`);
    });

    it('in one table are told when it is read, and the rest goes on', async () => {
      const postgres = await start();
      await runSql(postgres.url('postgres'), 'CREATE TABLE shop.other AS SELECT 1 AS id');
      const database = openTestDatabase({ url: postgres.url('postgres') });
      const [file] = await database.query<{ path: string }>({ name: 'kept.file', text: `SELECT pg_relation_filepath('kept') AS path` }, []);
      await flipLastByte(cluster(file?.path ?? ''), 8192);
      const error = await expectRefusal('DATABASE_DAMAGED', database.query(READ, []));
      expect(error.code).to.equal('DATA_LOSS');
      expect(error.message).to.contain(':5432/postgres').and.contain('backup');
      expect(await database.query({ name: 'other.read', text: 'SELECT id FROM other' }, [])).to.deep.equal([{ id: 1 }]);
      await database.stop();
    });

    /** Data checksums, which are on by default since Postgres 18, bring it to light. */
    async function flipLastByte(path: string, pageBytes: number): Promise<void> {
      const file = await open(path, 'r+');
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, pageBytes - 1);
      byte[0] = (byte[0] ?? 0) ^ 1;
      await file.write(byte, 0, 1, pageBytes - 1);
      await file.close();
    }
  });
});

describe('a data folder that is not one', () => {
  it('is a file: it is named and left alone', async () => {
    const folder = await makeTestFolder();
    const dataDir = join(folder, 'data');
    await writeFile(dataDir, 'mine');
    const error = await expectRefusal('INVALID_SETTING', startEmbeddedPostgres({ dataDir, log: silentLog }));
    expect(error.message).to.contain(dataDir).and.contain('not a folder');
    await rm(folder, { recursive: true });
  });

  it('has a file where the cluster should be: it is named and left alone', async () => {
    const folder = await makeTestFolder();
    await mkdir(join(folder, 'data'));
    await writeFile(join(folder, 'data', 'cluster'), 'mine');
    const error = await expectRefusal('START_FAILED', startEmbeddedPostgres({ dataDir: join(folder, 'data'), log: silentLog }));
    expect(error.message).to.contain(join(folder, 'data', 'cluster'));
    await rm(folder, { recursive: true });
  });
});
