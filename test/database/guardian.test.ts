import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { startEmbeddedPostgres } from '#database/embedded';
import { silentLog } from '#kit';
import { expectRefusal } from './expect-refusal.ts';
import { makeTestFolder, runSql } from './postgres-fixture.ts';
import { childrenOf, isRunning, parentOf, untilGone } from './processes.ts';
import { type Runner, startRunner } from './start-runner.ts';

describe('the guardian of an embedded Postgres', function () {
  this.timeout(60_000);
  const runners: Runner[] = [];
  let folder: string;
  let dataDir: string;

  before(async function () {
    // Who is whose parent is read in /proc.
    if (process.platform !== 'linux') this.skip();
    folder = await makeTestFolder();
    dataDir = join(folder, 'data');
  });

  afterEach(async () => {
    for (const runner of runners.splice(0)) await runner.kill();
  });

  after(() => (folder === undefined ? undefined : rm(folder, { recursive: true, force: true })));

  async function run(): Promise<{ runner: Runner; pid: number; url: string; shells: number[] }> {
    const runner = await startRunner(dataDir);
    runners.push(runner);
    if (runner.message.type !== 'started') expect.fail(runner.message.message);
    const { pid, url } = runner.message;
    const guardian = await parentOf(pid);
    const shells = [guardian, ...(await childrenOf(guardian)).filter((child) => child !== pid)];
    expect(shells, 'the guardian and the one who waits for the lifeline').to.have.length(2);
    return { runner, pid, url, shells };
  }

  function socketFolder(url: string): string {
    return decodeURIComponent(new URL(url).hostname);
  }

  it('stops Postgres when its parent is killed with -9, and leaves nothing', async () => {
    const { runner, pid, url, shells } = await run();
    await runSql(url, 'CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS id');
    await runner.kill();
    await untilGone(pid, ...shells);
    expect(await stat(socketFolder(url)).catch(() => 'gone')).to.equal('gone');
  });

  it('lets the next start find the data, and the owner file of the dead counts for nothing', async () => {
    const { runner, pid, url, shells } = await run();
    await runSql(url, 'INSERT INTO kept VALUES (2)');
    await runner.stop();
    expect(await isRunning(pid)).to.equal(false);
    await untilGone(...shells);
  });

  it('is not stopped by Ctrl-C, which goes to the whole group of its parent', async () => {
    const { runner, pid, url } = await run();
    process.kill(-(runner.process.pid ?? 0), 'SIGINT');
    await runSql(url, 'SELECT 1');
    expect(await isRunning(pid)).to.equal(true);
    await runner.stop();
  });

  it('stops Postgres when it is asked to end itself', async () => {
    const { runner, pid, shells } = await run();
    process.kill(shells[0] ?? 0, 'SIGTERM');
    await untilGone(pid, ...shells);
    await runner.stop();
  });

  for (const which of [0, 1]) {
    it(`lets no Postgres be left when its ${which === 0 ? 'first' : 'second'} process is killed`, async () => {
      const { runner, pid, shells } = await run();
      process.kill(shells[which] ?? 0, 'SIGKILL');
      await runner.stop();
      await untilGone(pid, ...shells);
    });
  }

  it('may be killed as a whole: its parent then stops Postgres', async () => {
    const { runner, pid, shells } = await run();
    for (const shell of shells) process.kill(shell, 'SIGKILL');
    await untilGone(pid);
    await runner.stop();
  });

  it('when everybody is killed with -9, the next start stops what is left and goes on', async () => {
    const { runner, pid, shells } = await run();
    // At once, before any of them notices the others.
    process.kill(runner.process.pid ?? 0, 'SIGSTOP');
    for (const shell of shells) process.kill(shell, 'SIGKILL');
    await runner.kill();
    expect(await isRunning(pid), 'nobody is there to stop it').to.equal(true);
    const steps: string[] = [];
    const next = await startEmbeddedPostgres({ dataDir, log: silentLog, onProgress: (step) => steps.push(step) });
    expect(steps).to.deep.equal(['stopped a Postgres that an earlier run had left']);
    expect(await isRunning(pid)).to.equal(false);
    await runSql(next.url('postgres'), 'INSERT INTO kept VALUES (3)');
    await next.stop();
  });

  it('a process that lives keeps its folder, whatever another one wants', async () => {
    const { runner, url } = await run();
    await expectRefusal('ALREADY_RUNNING', startEmbeddedPostgres({ dataDir, log: silentLog }));
    await runSql(url, 'SELECT 1');
    await runner.stop();
  });

  it('an old postmaster.pid whose number is somebody else\'s by now does no harm', async () => {
    const { uid, gid } = await stat(join(dataDir, 'cluster'));
    // As the same user, for whom Postgres would take it for its own kind.
    const innocent = spawn('sleep', ['60'], { uid, gid, cwd: '/', stdio: 'ignore' });
    await once(innocent, 'spawn');
    const lines = [innocent.pid, join(dataDir, 'cluster'), 1, 5432, '/tmp', '', '1 1', 'ready', ''];
    await writeFile(join(dataDir, 'cluster', 'postmaster.pid'), lines.join('\n'));
    const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
    expect(await isRunning(innocent.pid ?? 0)).to.equal(true);
    await postgres.stop();
    innocent.kill();
    await once(innocent, 'exit');
  });
});
