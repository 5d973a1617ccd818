import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { type Clock, MeshError } from '#kit';

import { downCommand } from '../../cli/commands/down.ts';
import { type Child, spawnChild } from '../../cli/local/child.ts';
import { openControlSocket } from '../../cli/local/control-server.ts';
import { createOutput } from '../../cli/output.ts';
import { inherited, makeShopFolder, type ShopFolder } from './support/shop-folder.ts';

describe('a process under the supervisor', function () {
  this.timeout(30_000);
  this.slow(3_000);

  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-child-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function spawnProgram(text: string | undefined, stopTimeoutMs = 20_000): Promise<Child> {
    const launcher = join(folder, 'program.mjs');
    if (text !== undefined) await writeFile(launcher, text);
    const options = { name: 'order', services: ['order'] as const, logFolder: folder, stopTimeoutMs, environment: inherited() };
    return spawnChild({ ...options, ...(text !== undefined && { launcher }) });
  }

  it('that falls before it serves is refused with what it said last, and where the rest is', async () => {
    const child = await spawnProgram('console.log("loading");\nthrow new TypeError("cannot even begin");\n');
    const error = await failureOf(child.start({}));
    expect(error.reason).to.equal('START_FAILED');
    expect(error.message).to.equal(
      `order ended with exit code 1 before it was ready: TypeError: cannot even begin. Its log: ${join(folder, 'order.log')}`,
    );
    expect(await child.exited).to.equal('ended with exit code 1');
  });

  it('that was killed says by what', async () => {
    const child = await spawnProgram('process.kill(process.pid, "SIGKILL");\n');
    expect((await failureOf(child.start({}))).message).to.match(/^order was killed \(SIGKILL\) before it was ready/);
    expect(await child.exited).to.equal('was killed (SIGKILL)');
  });

  it('that is stopped before it has its settings ends at once, and well', async () => {
    const child = await spawnProgram(undefined);
    const began = performance.now();
    await child.stop();
    expect(performance.now() - began).to.be.lessThan(10_000);
    expect(await child.exited).to.be.oneOf(['', 'was killed (SIGTERM)']);
  });

  it('that does not stop is killed', async () => {
    const child = await spawnProgram('process.on("SIGTERM", () => {});\nprocess.on("message", () => process.send({ kind: "ready", services: [] }));\n', 100);
    await child.start({});
    await child.stop();
    expect(await child.exited).to.equal('was killed (SIGKILL)');
  });

  it('that cannot even be run has ended, and says why', async () => {
    await writeFile(join(folder, 'logs'), 'no folder');
    const child = spawnChild({ name: 'order', services: ['order'], logFolder: join(folder, 'logs'), stopTimeoutMs: 100, environment: inherited() });
    const error = await failureOf(child.start({}));
    expect(error.reason).to.equal('START_FAILED');
    expect(error.message).to.match(/^order could not be run \(EEXIST: .*logs'\)$/);
    expect(`order ${await child.exited}`).to.equal(error.message);
    expect(child.pid).to.equal(undefined);
    await child.stop();
  });

  describe('keeps its log', () => {
    const log = (name = 'order.log'): string => join(folder, name);

    /** A life that says this; resolves with how its supervisor words its end. */
    async function live(words: string): Promise<string> {
      const child = await spawnProgram(`console.error(${JSON.stringify(words)});\n`);
      return (await failureOf(child.start({}))).message;
    }

    it('through one run of the shop: however often it is run again, why it fell first stays to be read', async () => {
      for (const words of ['Error: the first', 'the second', 'the third']) await live(words);
      expect(await readFile(log(), 'utf8')).to.equal('Error: the first\nthe second\nthe third\n');
      expect(existsSync(log('order.log.1'))).to.equal(false);
    });

    it('and is quoted with what it said in its last life', async () => {
      await live('Error: the first');
      expect(await live('the second')).to.include('ready: the second. Its log');
      expect(await live('x'.repeat(100_000)), 'of a large one').to.include(`ready: ${'x'.repeat(200)}. Its log`);
    });

    it('of the run before as .1', async () => {
      for (const run of ['one', 'two', 'three']) {
        await live(run);
        await utimes(log(), new Date(), new Date(performance.timeOrigin - 1));
      }
      await live('four');
      expect(await readFile(log('order.log.1'), 'utf8')).to.equal('three\n');
      expect(await readFile(log(), 'utf8')).to.equal('four\n');
    });

    it('up to 50 MB: what is larger is .1 from the next life on', async () => {
      await live('one');
      await truncate(log(), 50 * 2 ** 20);
      await live('two');
      expect((await stat(log('order.log.1'))).size).to.equal(50 * 2 ** 20);
      expect(await readFile(log(), 'utf8')).to.equal('two\n');
    });
  });
});

describe('mesh down, of a shop that does not stop', () => {
  let folder: ShopFolder;
  const { env } = process;
  beforeEach(async () => {
    folder = await makeShopFolder();
    await mkdir(folder.dataDir);
    process.env = { ...folder.environment };
  });
  afterEach(async () => {
    process.env = env;
    await folder.remove();
  });

  it('gives up after a minute, and says that it is the time that ran out', async () => {
    let toldToStop = false;
    const status = { pid: process.pid, version: '', topology: 'micro', startedAt: 0, consulUrl: '', jaegerUrl: '', processes: [] } as const;
    const door = await openControlSocket(folder.controlSocket, { status: () => status, environment: () => undefined, stop: () => (toldToStop = true) });
    let time = 0;
    const hurried: Clock = { now: () => time, sleep: async () => void (time += 1_000) };
    const error = await failureOf(downCommand(createOutput(true), hurried));
    await door.stop();
    expect({ toldToStop, time }).to.deep.equal({ toldToStop: true, time: 61_000 });
    expect(error).to.include({ reason: 'DEADLINE_EXCEEDED', code: 'DEADLINE_EXCEEDED' });
    expect(error.message).to.include(`process ${process.pid} has not stopped within a minute`);
  });
});

async function failureOf(attempt: Promise<unknown>): Promise<MeshError> {
  const thrown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (thrown instanceof MeshError) return thrown;
  throw new Error('it should have been refused');
}
