import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { type Finished, type RunningCommand, startMesh } from '../support/mesh-command.ts';
import { makeShopFolder, type ShopFolder } from '../support/shop-folder.ts';
import { entry } from './entry.ts';

describe('mesh logs --follow', function () {
  this.timeout(30_000);
  this.slow(3_000);

  let folder: ShopFolder;
  let following: RunningCommand | undefined;
  beforeEach(async () => {
    folder = await makeShopFolder();
    await mkdir(logs(), { recursive: true });
  });
  afterEach(async () => {
    following?.kill('SIGKILL');
    await following?.finished;
    await folder.remove();
  });

  const logs = (...file: string[]): string => join(folder.dataDir, 'logs', ...file);
  const write = (file: string, ...lines: string[]): Promise<void> => writeFile(logs(file), lines.join(''));
  const follow = (...args: string[]): RunningCommand => (following = startMesh(['logs', '--follow', ...args], folder, folder.root));

  /** How it ends by itself. */
  async function endOf(running: RunningCommand): Promise<Finished> {
    following = undefined;
    return running.finished;
  }

  it('goes on as lines come, into files that are there, come later, or are begun anew', async () => {
    await write('order.log', entry(0, 'order', 'one'), '{"level":"info","msg":"half');
    const running = follow();
    await running.untilPrinted(/order .* one$/m);
    expect(running.output()).not.to.include('half');

    await appendFile(logs('order.log'), ` a line"}\n${entry(1, 'order', 'two')}`);
    await running.untilPrinted(/half a line\n.*order .* two$/m);

    await write('payment.log', entry(2, 'payment', 'three'));
    await running.untilPrinted(/payment .* three$/m);

    await appendFile(logs('order.log'), entry(3, 'order', 'four') + 'FATAL: last words');
    await rename(logs('order.log'), logs('order.log.1'));
    await write('order.log', entry(4, 'order', 'five'));
    await running.untilPrinted(/order .* five$/m);
    await running.untilPrinted(/order\.log +FATAL: last words$/m);
    expect(running.output().match(/ four$/gm)).to.have.length(1);
  });

  it('shows only what is wanted, and of what was only so much', async () => {
    await write('order.log', entry(0, 'order', 'one'), entry(1, 'order', 'two', { level: 'warn' }), entry(2, 'order', 'three', { level: 'warn' }));
    const running = follow('order', '--level', 'warn', '-n', '1');
    await running.untilPrinted(/three$/m);
    await write('payment.log', entry(3, 'payment', 'not of order', { level: 'error' }));
    await appendFile(logs('order.log'), entry(4, 'order', 'four') + entry(5, 'order', 'five', { level: 'error' }));
    await running.untilPrinted(/five$/m);
    expect(running.output()).to.not.match(/one|two|four|payment/);
  });

  it('waits for a shop that has not written yet', async () => {
    await rm(logs(), { recursive: true });
    const running = follow();
    await running.untilPrinted('waiting');
    await mkdir(logs());
    await write('order.log', entry(0, 'order', 'at last'));
    await running.untilPrinted(/at last$/m);
  });

  it('reads a file anew that was emptied', async () => {
    await write('order.log', entry(0, 'order', 'a first line, and a long one'));
    const running = follow();
    await running.untilPrinted(/long one$/m);
    await write('order.log', entry(1, 'order', 'anew'));
    await running.untilPrinted(/anew$/m);
  });

  it('ends at Ctrl-C, with the exit code that shells give it and without a word', async () => {
    await write('order.log', entry(0, 'order', 'one'));
    const running = follow();
    await running.untilPrinted(/one$/m);
    running.killGroup('SIGINT');
    const { exitCode, stderr } = await endOf(running);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 130, stderr: '' });
  });

  it('ends, and well, when nobody reads any more', async () => {
    await write('order.log', entry(0, 'order', 'one'));
    const running = follow();
    await running.untilPrinted(/one$/m);
    running.closeOutput();
    await appendFile(logs('order.log'), entry(1, 'order', 'to nobody'));
    const { exitCode, stderr } = await endOf(running);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
  });
});
