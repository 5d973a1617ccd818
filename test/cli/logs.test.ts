import { appendFile, mkdir, open, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { MAX_LINE_BYTES } from '../../cli/logs/raw-line.ts';
import { BEGAN_MS, entry } from './logs/entry.ts';
import { meshHere } from './support/in-process.ts';
import type { Finished } from './support/mesh-command.ts';
import { makeShopFolder, type ShopFolder } from './support/shop-folder.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('mesh logs', function () {
  this.timeout(30_000);

  let folder: ShopFolder;
  beforeEach(async () => {
    folder = await makeShopFolder();
    await mkdir(logs(), { recursive: true });
  });
  afterEach(() => folder.remove());

  const logs = (...file: string[]): string => join(folder.dataDir, 'logs', ...file);
  const write = (file: string, ...lines: string[]): Promise<void> => writeFile(logs(file), lines.join(''));
  const here = (...args: string[]): Promise<Finished> => meshHere(['logs', ...args], folder.environment);

  /** What was said, line by line, and by whom. */
  async function said(...args: string[]): Promise<string[]> {
    const { exitCode, stdout, stderr } = await here(...args, '--json');
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    const lines = stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const { service, msg, text } = JSON.parse(line) as { service: string; msg?: string; text?: string };
      return `${service}: ${msg ?? text}`;
    });
  }

  describe('of a shop that has written', () => {
    const spanId = 'b'.repeat(16);
    beforeEach(async () => {
      const warning = entry(60, 'order', 'step failed', { level: 'warn', trace_id: TRACE, span_id: spanId });
      await write('order.log.1', entry(0, 'order', 'first run'), 'Error: it fell\n', '    at order.ts:1\n');
      await utimes(logs('order.log.1'), new Date(BEGAN_MS + 10), new Date(BEGAN_MS + 10));
      await write('order.log', entry(30, 'order', 'second run'), warning);
      await write('inventory.log', entry(20, 'inventory', 'serving'), entry(40, undefined, 'of the process'));
      await write('inventory-2.log', entry(50, 'inventory', 'serving, too', { instance: 'inventory-127.0.0.1-1' }));
      await write('monolith.log', entry(5, 'user', 'serving'), entry(25, 'payment', 'gone', { level: 'error', trace_id: TRACE }));
      await write('supervisor.log', entry(35, undefined, 'a stand-in'));
      await write('up.log', 'shopmesh 0.1.0, micro\n', entry(45, undefined, 'could not call'));
      await write('notes.txt', 'nobody asked\n');
    });

    it('merges the lines of all processes by time, also of their last run, each with its service', async () => {
      expect(await said()).to.deep.equal([
        'order: first run',
        'user: serving',
        'order: Error: it fell',
        'order:     at order.ts:1',
        'inventory: serving',
        'payment: gone',
        'order: second run',
        'mesh: a stand-in',
        'inventory: of the process',
        'mesh: could not call',
        'inventory: serving, too',
        'order: step failed',
      ]);
    });

    it('shows the last ones', async () => {
      expect(await said('-n', '2')).to.deep.equal(['inventory: serving, too', 'order: step failed']);
      expect(await said('-n', '0')).to.deep.equal([]);
    });

    it('shows those of a service, wherever it runs, or of one process', async () => {
      expect(await said('inventory')).to.deep.equal(['inventory: serving', 'inventory: of the process', 'inventory: serving, too']);
      expect(await said('inventory-2')).to.deep.equal(['inventory: serving, too']);
      expect(await said('payment')).to.deep.equal(['payment: gone']);
      expect(await said('mesh')).to.deep.equal(['mesh: a stand-in', 'mesh: could not call']);
    });

    it('shows those of a trace, in capitals or not', async () => {
      expect(await said('--trace', TRACE)).to.deep.equal(['payment: gone', 'order: step failed']);
      expect(await said('order', '--trace', TRACE.toUpperCase())).to.deep.equal(['order: step failed']);
      expect(await said('--trace', '0'.repeat(32))).to.deep.equal([]);
    });

    it('shows those that are severe enough; a crash is', async () => {
      expect(await said('--level', 'warn')).to.deep.equal([
        'order: Error: it fell',
        'order:     at order.ts:1',
        'payment: gone',
        'order: step failed',
      ]);
      expect(await said('--level', 'fatal')).to.deep.equal([]);
    });

    it('shows those since a while ago', async () => {
      await appendFile(logs('order.log'), `${JSON.stringify({ level: 'info', time: new Date().toISOString(), msg: 'now' })}\n`);
      expect(await said('--since', '20s')).to.deep.equal(['order: now']);
      expect(await said('--since', '1h')).to.have.length(13);
    });

    it('gives programs the line itself, and whose it is', async () => {
      const { stdout } = await here('--json');
      const lines = stdout.trim().split('\n').map((line) => JSON.parse(line) as unknown);
      expect(lines.at(-2)).to.deep.equal({
        file: 'inventory-2.log',
        service: 'inventory',
        instance: 'inventory-127.0.0.1-1',
        level: 'info',
        time: new Date(BEGAN_MS + 50).toISOString(),
        msg: 'serving, too',
      });
      expect(lines.at(-1)).to.deep.include({ service: 'order', instance: 'order', trace_id: TRACE, span_id: spanId });
      expect(lines[2]).to.deep.equal({ file: 'order.log.1', service: 'order', instance: 'order', text: 'Error: it fell', droppedBytes: 0 });
    });

    it('tells people when, who, how bad, what, and in which span', async () => {
      const { stdout } = await here('-n', '2');
      const lines = stdout.split('\n');
      expect(lines[0]).to.match(/^\d\d:\d\d:\d\d\.\d{3} {2}inventory-2 {5}info {3}serving, too$/);
      expect(lines[1]).to.match(new RegExp(`^[0-9:.]{12} {2}order {11}warn {3}step failed {2}trace_id=${TRACE} span_id=b{16}$`));
    });

    it('shows a line that is not structured as it is, with its file', async () => {
      const { stdout } = await here('order');
      expect(stdout).to.match(/^ {14}order\.log\.1 {5}Error: it fell$/m).and.to.match(/^ {14}order\.log\.1 {9}at order\.ts:1$/m);
    });
  });

  it('names the day of lines that are not of today', async () => {
    await write('order.log', `${JSON.stringify({ time: '2001-02-03T12:00:00.000Z', msg: 'long ago' })}\n`, entry(0, 'order', 'lately'));
    const { stdout } = await here();
    expect(stdout).to.match(/^— 2001-02-03 —\n12:00:00\.000|^— 2001-02-0\d —\n/);
    expect(stdout.match(/^— /gm)).to.have.length(2);
  });

  it('says that there are none, or none like that', async () => {
    await write('order.log', entry(0, 'order', 'only this'));
    expect(await here('payment')).to.deep.equal({ exitCode: 0, stdout: `no such line in ${logs()}\n`, stderr: '' });
    await rm(logs(), { recursive: true });
    const { exitCode, stderr } = await here();
    expect(exitCode).to.equal(1);
    expect(stderr).to.include(`there are no logs in ${logs()}`).and.include('npx mesh up').and.include('NOT_RUNNING');
  });

  it('says that a folder is none', async () => {
    await rm(logs(), { recursive: true });
    await writeFile(logs(), '');
    const { exitCode, stderr } = await here();
    expect(exitCode).to.equal(1);
    expect(stderr).to.include(`${logs()} cannot be read (ENOTDIR`).and.include('MESH_DATA_DIR').and.include('INVALID_SETTING');
  });

  it('refuses a service that there is not, and guesses', async () => {
    await write('order.log', entry(0, 'order', 'x'));
    const { exitCode, stderr } = await here('invntory');
    expect(exitCode).to.equal(1);
    expect(stderr).to.include('there is no service invntory; did you mean inventory?').and.include('UNKNOWN_SERVICE');
  });

  for (const [args, says] of [
    [['--level', 'loud'], 'Allowed choices are trace, debug, info, warn, error, fatal.'],
    [['--trace', 'abc'], 'A trace id has 32 hexadecimal digits.'],
    [['--since', 'yesterday'], 'is not a time span'],
    [['-n', 'many'], 'It is a number from 0 to 100000.'],
  ] as const) {
    it(`answers ${args.join(' ')} with exit code 2 and what is wrong`, async () => {
      const { exitCode, stderr } = await here(...args);
      expect(exitCode).to.equal(2);
      expect(stderr).to.include(says);
    });
  }

  it('reads a large file from its end, and a large line in part', async () => {
    const file = await open(logs('order.log'), 'w');
    const filler = entry(0, 'order', 'x'.repeat(1_000)).repeat(1_000);
    for (let written = 0; written < 30; written += 1) await file.write(filler);
    for (let written = 0; written < 20; written += 1) await file.write('y'.repeat(1_000_000));
    await file.write(`\n${entry(1, 'order', 'the last')}`);
    await file.close();
    const before = process.memoryUsage.rss();
    const began = performance.now();
    const { stdout } = await here('-n', '2', '--json');
    expect(performance.now() - began, 'without reading all of it').to.be.lessThan(2_000);
    expect(process.memoryUsage.rss() - before, 'without keeping it').to.be.lessThan(40 * 2 ** 20);
    const [large, last] = stdout.trim().split('\n').map((line) => JSON.parse(line) as { text?: string; droppedBytes?: number; msg?: string });
    expect(last?.msg).to.equal('the last');
    expect(large?.text).to.have.length(MAX_LINE_BYTES);
    expect(large?.droppedBytes).to.equal(20_000_000 - MAX_LINE_BYTES);
  });
});
