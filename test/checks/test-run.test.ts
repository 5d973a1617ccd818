import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { isAlive } from './support/is-alive.ts';
import { lastLine } from './support/last-line.ts';
import { copyProject, type ProjectCopy } from './support/project-copy.ts';
import { type NodeRun, runNode } from './support/run-node.ts';

const sleeper = "import { spawn } from 'node:child_process';\nconst start = (options) => spawn('sleep', ['600'], options);\n";

/** `npm test` over a project copy that holds these tests only. */
describe('a run of npm test', function () {
  this.timeout(60_000);
  let copy: ProjectCopy;
  beforeEach(async () => {
    copy = await copyProject();
  });
  afterEach(() => copy.remove());

  const main = (): string => join(copy.folder, 'scripts', 'test', 'main.ts');
  type Tests = Readonly<Record<string, string>>;
  async function run(tests: Tests, args: readonly string[] = ['test'], env: NodeJS.ProcessEnv = {}): Promise<NodeRun> {
    await copy.write(Object.fromEntries(Object.entries(tests).map(([name, text]) => [`test/${name}.test.ts`, text])));
    return runNode([main(), ...args], { CI: '', ...env });
  }

  it('counts what passed, failed and was skipped, over all files', async () => {
    const { code, stdout } = await run({
      a: "it('one', () => {});\nit.skip('two', () => {});\n",
      b: "it('three', () => { throw new Error('no luck'); });\n",
      c: "describe('c', () => { before(function () { this.skip(); }); it('four', () => {}); });\n",
    });
    expect(lastLine(stdout), stdout).to.equal('1 passed, 1 failed, 2 skipped');
    expect(stdout).to.contain('no luck');
    expect(code).to.equal(1);
  });

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

  it('fails a file that cannot be loaded, and runs the others', async () => {
    const { stdout } = await run({ a: "import './nowhere.ts';\n", b: "it('two', () => {});\n" });
    expect(lastLine(stdout)).to.equal('1 passed, 1 failed, 0 skipped');
    expect(stdout).to.contain('a.test.ts: cannot be loaded');
  });

  it('fails a test that drops a rejected promise', async () => {
    const { stdout } = await run({
      a: "it('drops', async () => { void Promise.reject(new Error('dropped')); await new Promise((wake) => setTimeout(wake, 50)); });\n",
    });
    expect(lastLine(stdout)).to.equal('0 passed, 1 failed, 0 skipped');
    expect(stdout).to.contain('dropped');
  });

  it('fails a file that does not end, and says what holds it', async () => {
    const { stdout } = await run({ a: "it('one', () => { setInterval(() => {}, 1000); });\n" });
    expect(lastLine(stdout), stdout).to.equal('1 passed, 1 failed, 0 skipped');
    expect(stdout).to.contain('does not end').and.to.contain('Timeout');
  });

  it('fails a file that dies', async () => {
    const { stdout } = await run({ a: "it('one', () => { process.kill(process.pid, 'SIGKILL'); });\n" });
    expect(lastLine(stdout)).to.equal('0 passed, 1 failed, 0 skipped');
    expect(stdout).to.contain('SIGKILL');
  });

  it('fails a file that leaves a process behind, and ends that', async () => {
    const { stdout } = await run({
      a: `${sleeper}it('one', () => {
        const child = start({ detached: true, stdio: 'ignore' });
        child.unref();
        console.log('pid=' + child.pid);
      });\n`,
      b: "it('two', () => {});\n",
    });
    expect(lastLine(stdout), stdout).to.equal('2 passed, 1 failed, 0 skipped');
    expect(stdout).to.contain('test/a.test.ts: leaves processes behind').and.to.contain('sleep 600');
    expect(isAlive(pidIn(stdout))).to.equal(false);
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
      const child = spawn(process.execPath, [main(), 'test'], { stdio: ['ignore', 'pipe', 'inherit'] });
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
