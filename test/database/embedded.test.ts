import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';
import pg from 'pg';

import { ensureDatabase } from '#database';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#database/embedded';
import { silentLog } from '#kit';
import { expectRefusal } from './expect-refusal.ts';
import { makeTestFolder, runSql } from './postgres-fixture.ts';
import { allArguments, isRunning } from './processes.ts';

const isLinux = process.platform === 'linux';

describe('embedded Postgres', function () {
  this.timeout(60_000);
  let folder: string;
  let dataDir: string;
  let running: EmbeddedPostgres | undefined;
  let steps: string[];

  before(async () => {
    folder = await makeTestFolder();
    dataDir = join(folder, 'data');
  });

  beforeEach(() => void (steps = []));
  afterEach(() => running?.stop());
  after(() => rm(folder, { recursive: true, force: true }));

  async function start(at = dataDir): Promise<EmbeddedPostgres> {
    running = await startEmbeddedPostgres({ dataDir: at, log: silentLog, onProgress: (step) => steps.push(step) });
    return running;
  }

  function socketFolder(postgres: EmbeddedPostgres): string {
    return decodeURIComponent(new URL(postgres.url('postgres')).hostname);
  }

  async function ask(url: string, text: string): Promise<unknown[]> {
    const client = new pg.Client(url);
    await client.connect();
    const { rows } = await client.query({ text, rowMode: 'array' });
    await client.end();
    return rows.flat();
  }

  it('makes a database, takes connections, and leaves nothing but its data', async () => {
    const postgres = await start();
    expect(steps).to.deep.equal(['making a new database']);
    expect(await ask(postgres.url('postgres'), 'SHOW server_version_num')).to.match(/^18/);
    await postgres.stop();
    await postgres.ended;
    expect(await isRunning(postgres.pid)).to.equal(false);
    expect(await stat(socketFolder(postgres)).catch(() => 'gone')).to.equal('gone');
    expect((await readdir(dataDir)).toSorted()).to.deep.equal(['cluster', 'password', 'postgres.log']);
  });

  it('finds its data again, under the same URL', async () => {
    const first = await start();
    await ensureDatabase(first.url('shop önü'));
    await runSql(first.url('shop önü'), 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const second = await start();
    expect(steps).to.deep.equal([]);
    expect(second.url('shop önü')).to.equal(first.url('shop önü'));
    expect(await ask(second.url('shop önü'), 'SELECT answer FROM kept')).to.deep.equal([42]);
  });

  it('listens on no port, and keeps its password to itself', async () => {
    const postgres = await start();
    const url = postgres.url('postgres');
    expect(await ask(url, 'SHOW listen_addresses')).to.deep.equal(['']);
    expect(await ask(url, 'SHOW fsync')).to.deep.equal(['on']);
    for (const [file, mode] of [['password', 0o600], ['cluster', 0o700], ['postgres.log', 0o600]] as const) {
      expect((await stat(join(dataDir, file))).mode & 0o777, file).to.equal(mode);
    }
    expect((await stat(socketFolder(postgres))).mode & 0o777).to.equal(0o700);
    const { password } = new URL(url);
    expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).not.to.contain(password);
    if (isLinux) expect(await allArguments()).not.to.contain(password);
  });

  it('does not wait for clients when it stops', async () => {
    const postgres = await start();
    const client = new pg.Client(postgres.url('postgres'));
    client.on('error', () => undefined);
    await client.connect();
    await client.query('BEGIN');
    const cut = client.query('SELECT pg_sleep(60)').catch(() => 'cut');
    await postgres.stop();
    expect(await cut).to.equal('cut');
  });

  it('has room for a long path, since the socket lies elsewhere', async () => {
    const deep = join(folder, 'a'.repeat(100), 'b [c] d'.repeat(10));
    expect(await ask((await start(deep)).url('postgres'), 'SELECT 1')).to.deep.equal([1]);
  });

  it('refuses a data folder in use, and lets its owner go on', async () => {
    const postgres = await start();
    const error = await expectRefusal('ALREADY_RUNNING', startEmbeddedPostgres({ dataDir, log: silentLog }));
    expect(error.message).to.contain(dataDir).and.contain(String(process.pid));
    expect(await ask(postgres.url('postgres'), 'SELECT 1')).to.deep.equal([1]);
  });

  it('refuses a folder with something else in it, and leaves it alone', async () => {
    for (const name of ['holiday.jpg', 'PG_VERSION']) {
      const foreign = join(folder, `foreign-${name}`);
      await mkdir(foreign);
      await writeFile(join(foreign, name), '18');
      const error = await expectRefusal('INVALID_SETTING', start(foreign));
      expect(error.message).to.contain(name).and.contain(foreign);
      expect(await readdir(foreign)).to.deep.equal([name]);
    }
  });

  it('refuses the data of another version, and leaves them alone', async () => {
    const version = join(dataDir, 'cluster', 'PG_VERSION');
    await writeFile(version, '17\n');
    const error = await expectRefusal('START_FAILED', start());
    expect(error.message).to.contain('Postgres 17').and.contain('Postgres 18');
    await writeFile(version, '18\n');
    await start();
  });

  it('says which file is missing when the password is gone', async () => {
    const password = join(dataDir, 'password');
    const kept = await readFile(password);
    await rm(password);
    const error = await expectRefusal('START_FAILED', start());
    expect(error.message).to.contain(password);
    await writeFile(password, kept, { mode: 0o600 });
  });

  it('begins anew after a first start that was cut short', async () => {
    const cut = join(folder, 'cut');
    await mkdir(join(cut, 'cluster.new', 'base'), { recursive: true });
    await writeFile(join(cut, 'owner.json'), '{"pid":');
    await writeFile(join(cut, 'password'), 'half');
    expect(await ask((await start(cut)).url('postgres'), 'SELECT 1')).to.deep.equal([1]);
  });

  it('repeats what Postgres says when it does not start', async () => {
    await writeFile(join(dataDir, 'cluster', 'postgresql.auto.conf'), 'no_such_setting = 1\n');
    const error = await expectRefusal('START_FAILED', start());
    expect(error.message).to.contain('contains errors').and.contain('postgres.log');
    expect((await readdir(dataDir)).toSorted()).to.deep.equal(['cluster', 'password', 'postgres.log']);
    await writeFile(join(dataDir, 'cluster', 'postgresql.auto.conf'), '');
  });
});
