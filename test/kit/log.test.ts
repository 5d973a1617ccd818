import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, rmSync, truncateSync } from 'node:fs';
import { mkdtemp, readFile, rename, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { createLog } from '#kit';

interface Line {
  readonly level: string;
  readonly n?: number;
  readonly lines?: number;
  readonly why?: string;
  readonly msg?: string;
}

/** Logs the numbers it is told to; ends when its channel does. */
const PROGRAM = `
  import { createLog } from ${JSON.stringify(import.meta.resolve('#kit'))};
  const log = createLog({ level: 'info' });
  // What a command does that prints: a pipe does not block from then on.
  process.stderr.writable;
  process.on('message', ([from, to]) => {
    for (let n = from; n <= to; n += 1) log.info({ n });
    process.send('done');
  });
`;

describe('a log', function () {
  this.timeout(30_000);
  this.slow(2_000);

  let folder: string;
  let children: ChildProcess[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-log-'));
    children = [];
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const file = (name = 'order.log'): string => join(folder, name);
  const logged = (written: string): readonly Line[] => written.trimEnd().split('\n').map((line) => JSON.parse(line) as Line);

  /** A process whose standard error is the log. `ulimit` makes a file be full early, for anybody and on any disk. */
  function start(stderr: number | 'pipe', ulimit = 'unlimited'): ChildProcess {
    const child = spawn('sh', ['-c', `ulimit -f ${ulimit}; exec "$@"`, 'sh', process.execPath, '--input-type=module', '-e', PROGRAM], {
      stdio: ['ignore', 'inherit', stderr, 'ipc'],
    });
    children.push(child);
    return child;
  }

  async function tell(child: ChildProcess, from: number, to: number): Promise<void> {
    const done = once(child, 'message');
    child.send([from, to]);
    await done;
  }

  async function exitCodeOf(child: ChildProcess): Promise<unknown> {
    const exited = once(child, 'exit');
    child.disconnect();
    return (await exited)[0];
  }

  it('is appended to a file that only its user may read', async () => {
    for (const n of [1, 2]) createLog({ level: 'info', destination: file() }).info({ n });
    expect(logged(await readFile(file(), 'utf8')).map(({ n }) => n)).to.deep.equal([1, 2]);
    expect(((await stat(file())).mode & 0o777).toString(8)).to.equal('600');
  });

  it('loses what its disk has no room for, and says once how much, when there is room again', async function () {
    if (!existsSync('/dev/full')) return this.skip();
    await symlink('/dev/full', file());
    const log = createLog({ level: 'info', destination: file() });
    for (const n of [1, 2, 3]) log.info({ n });
    await rename(file(), file('order.log.1'));
    for (const n of [4, 5]) log.info({ n });
    const [notice, ...others] = logged(await readFile(file(), 'utf8'));
    expect(notice).to.include({ level: 'warn', lines: 3, msg: '3 lines of this log could not be written' });
    expect(notice?.why).to.match(/^ENOSPC: /);
    expect(others.map(({ n }) => n)).to.deep.equal([4, 5]);
  });

  it('leaves its process alive on a full disk, and able to end', async function () {
    if (!existsSync('/dev/full')) return this.skip();
    const full = openSync('/dev/full', 'w');
    const child = start(full);
    closeSync(full);
    await tell(child, 1, 10);
    await tell(child, 11, 20);
    expect(await exitCodeOf(child)).to.equal(0);
  });

  it('on standard error, too, goes on when there is room again, on a line of its own', async () => {
    const fd = openSync(file(), 'a');
    const child = start(fd, '8');
    closeSync(fd);
    await tell(child, 1, 500);
    const before = (await readFile(file(), 'utf8')).split('\n');
    expect(before.at(-1), 'half a line, for which there was room').to.match(/^\{"level"/);
    const kept = logged(before.slice(0, -1).join('\n'));
    expect(kept.map(({ n }) => n)).to.deep.equal(kept.map((_, index) => index + 1));

    truncateSync(file());
    await tell(child, 501, 501);
    expect(await exitCodeOf(child)).to.equal(0);
    const [empty, ...after] = (await readFile(file(), 'utf8')).split('\n');
    expect(empty).to.equal('');
    const [notice, last] = logged(after.join('\n'));
    expect(notice).to.include({ lines: 500 - kept.length });
    expect(notice?.why).to.match(/^EFBIG: /);
    expect(last).to.include({ n: 501 });
  });

  it('into a pipe that nobody reads does not hold up its process, and stays in order', async () => {
    const child = start('pipe');
    const began = performance.now();
    await tell(child, 1, 20_000);
    expect(performance.now() - began, 'though the pipe was full').to.be.lessThan(10_000);
    let written = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (written += chunk));
    let told = 30_000;
    while (!/"n":3\d{4}\}\n/.test(written)) {
      told += 1;
      await tell(child, told, told);
    }
    const closed = child.stderr && once(child.stderr, 'close');
    expect(await exitCodeOf(child)).to.equal(0);
    await closed;
    const whole = logged(written.split('\n').filter((line) => line.endsWith('}')).join('\n'));
    const numbers = whole.flatMap(({ n }) => n ?? []);
    const lost = whole.reduce((sum, { lines = 0 }) => sum + lines, 0);
    expect(numbers).to.deep.equal(numbers.toSorted((a, b) => a - b));
    expect(lost).to.be.greaterThan(10_000);
    expect(numbers.length + lost).to.equal(told - 10_000);
  });
});
