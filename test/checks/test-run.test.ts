import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { isAlive } from './support/is-alive.ts';
import { lastLine } from './support/last-line.ts';
import { copyProject, type ProjectCopy } from './support/project-copy.ts';
import { type NodeRun, runNode } from './support/run-node.ts';

const sleeper = "import { spawn } from 'node:child_process';\nconst start = (options) => spawn('sleep', ['600'], options);\n";

type Tests = Readonly<Record<string, string>>;

const writeTests = (copy: ProjectCopy, tests: Tests): Promise<void> =>
  copy.write(Object.fromEntries(Object.entries(tests).map(([name, text]) => [`test/${name}.test.ts`, text])));
const mainOf = (copy: ProjectCopy): string => join(copy.folder, 'scripts', 'test', 'main.ts');
const runOf = (copy: ProjectCopy, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<NodeRun> =>
  runNode([mainOf(copy), ...args], { CI: '', ...env });

/** `npm test` over a project copy that holds these tests only: files that go wrong, each in one way. */
describe('a run of npm test over bad files', function () {
  this.timeout(60_000);
  let copy: ProjectCopy;
  let stdout: string;
  let code: number;
  before(async () => {
    copy = await copyProject();
    const tests = {
      fine: "it('one', () => {});\nit.skip('two', () => {});\n",
      fails: "it('three', () => { throw new Error('no luck'); });\n",
      skipped: "describe('c', () => { before(function () { this.skip(); }); it('four', () => {}); });\n",
      unloadable: "import './nowhere.ts';\n",
      drops: "it('drops', async () => { void Promise.reject(new Error('dropped')); await new Promise((wake) => setTimeout(wake, 50)); });\n",
      open: "it('five', () => { setInterval(() => {}, 1000); });\n",
      dies: "it('six', () => { process.kill(process.pid, 'SIGKILL'); });\n",
      leaves: `${sleeper}it('seven', () => {
        const child = start({ detached: true, stdio: 'ignore' });
        child.unref();
        console.log('pid=' + child.pid);
      });\n`,
    };
    // With --jobs each of the files that could start processes has one of its own.
    await writeTests(copy, Object.fromEntries(Object.entries(tests).map(([name, text]) => [name, `import 'node:child_process';\n${text}`])));
    ({ code, stdout } = await runOf(copy, ['--jobs', '4', 'test']));
  });
  after(() => copy.remove());

  /** What the list of failures says of a file, up to the next one. */
  const saidOf = (file: string): string => {
    const failures = stdout.slice(stdout.lastIndexOf('\nFailed:')).split('\n  - ');
    return failures.filter((failure) => failure.startsWith(`test/${file}.test.ts: `)).join('\n');
  };

  it('counts what passed, failed and was skipped, over all files', () => {
    expect(lastLine(stdout), stdout).to.equal('3 passed, 6 failed, 2 skipped');
    expect(saidOf('fails')).to.contain('no luck');
    expect(code).to.equal(1);
  });

  it('fails a file that cannot be loaded, and runs the others', () => {
    expect(saidOf('unloadable')).to.contain('cannot be loaded');
  });

  it('fails a test that drops a rejected promise', () => {
    expect(saidOf('drops')).to.contain('dropped');
  });

  it('fails a file that does not end, and says what holds it', () => {
    expect(saidOf('open')).to.contain('does not end').and.to.contain('Timeout');
  });

  it('fails a file that dies', () => {
    expect(saidOf('dies')).to.contain('died').and.to.contain('SIGKILL');
  });

  it('fails a file that leaves a process behind, and ends that', () => {
    expect(saidOf('leaves')).to.contain('leaves processes behind').and.to.contain('sleep 600');
    expect(isAlive(pidIn(stdout))).to.equal(false);
  });
});

describe('a run of npm test', function () {
  this.timeout(60_000);
  let copy: ProjectCopy;
  // One for all, so that its scripts are compiled once.
  before(async () => {
    copy = await copyProject();
  });
  afterEach(() => rm(join(copy.folder, 'test'), { recursive: true, force: true }));
  after(() => copy.remove());

  async function run(tests: Tests, args: readonly string[] = ['test'], env: NodeJS.ProcessEnv = {}): Promise<NodeRun> {
    await writeTests(copy, tests);
    return runOf(copy, args, env);
  }

  it('passes with something skipped, but not in CI', async () => {
    const tests = { a: "it('one', () => {});\nit.skip('two', () => {});\n" };
    expect((await run(tests)).code).to.equal(0);
    const { code, stdout } = await run(tests, ['test'], { CI: 'true' });
    expect(code).to.equal(1);
    expect(stdout).to.contain('does not allow:\n  - test/a.test.ts: two\n1 passed, 0 failed, 1 skipped\n');
  });

  it('runs one file, or what matches, and fails when nothing does', async () => {
    const tests = { a: "it('one', () => {});\n", b: "it('two', () => {});\n" };
    expect(lastLine((await run(tests, ['test/a.test.ts'])).stdout)).to.equal('1 passed, 0 failed, 0 skipped');
    expect((await run(tests, ['--grep', 'tw[o]'])).stdout).to.contain('two').and.not.to.contain('✔ one');
    const nothing = await run(tests, ['--grep', 'moon']);
    expect(nothing.code).to.equal(1);
    expect(nothing.stdout).to.contain('nothing matches').and.to.match(/\n0 passed, 0 failed, 0 skipped\n$/);
    expect((await run(tests, ['test/moon.test.ts'])).code).to.equal(2);
  });

  it('runs files side by side when asked', async () => {
    const slow = `${sleeper}void start;\nit('waits', async () => { await new Promise((wake) => setTimeout(wake, 1500)); });\n`;
    const { stdout } = await run({ a: slow, b: slow }, ['--jobs', '2', 'test']);
    expect(lastLine(stdout), stdout).to.equal('2 passed, 0 failed, 0 skipped');
  });

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    it(`stopped by ${signal} leaves nothing running`, async function () {
      const test = `${sleeper}
        let child;
        before(() => { child = start(); console.log('pid=' + child.pid + ' '); });
        after(() => child.kill());
        it('waits', async function () { this.timeout(0); await new Promise((wake) => setTimeout(wake, 2000)); });
        it('is not reached', () => { console.log('reached'); });\n`;
      await copy.write({ 'test/a.test.ts': test });
      const child = spawn(process.execPath, [mainOf(copy), 'test'], { stdio: ['ignore', 'pipe', 'inherit'] });
      let stdout = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      const ended = once(child, 'close');
      while (!stdout.includes('pid=')) await delay(50);
      child.kill(signal);
      const [code] = (await ended) as [number | null];
      for (let tries = 0; isAlive(pidIn(stdout)) && tries < 100; tries += 1) await delay(50);
      expect(isAlive(pidIn(stdout))).to.equal(false);
      expect(stdout).not.to.contain('reached');
      if (signal === 'SIGINT') expect(code, stdout).to.equal(130);
    });
  }

  it('explains itself', async () => {
    const { code, stdout } = await run({}, ['--help']);
    expect(code).to.equal(0);
    expect(stdout).to.contain('--only').and.to.contain('--grep');
  });
});

function pidIn(text: string): number {
  return Number(/pid=(\d+)/.exec(text)?.[1]);
}
