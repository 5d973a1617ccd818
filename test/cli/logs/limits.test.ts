import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { MAX_LINE_BYTES } from '../../../cli/logs/raw-line.ts';
import { MAX_MEGABYTES } from '../../../cli/logs/recent-lines.ts';
import { meshHere } from '../support/in-process.ts';
import type { Finished } from '../support/mesh-command.ts';
import { makeShopFolder, type ShopFolder } from '../support/shop-folder.ts';
import { entry } from './entry.ts';

describe('mesh logs, of more than one answer holds', function () {
  this.timeout(30_000);
  this.slow(5_000);

  let folder: ShopFolder;
  let log: string;
  beforeEach(async () => {
    folder = await makeShopFolder();
    await mkdir(join(folder.dataDir, 'logs'), { recursive: true });
    log = join(folder.dataDir, 'logs', 'order.log');
  });
  afterEach(() => folder.remove());

  const here = (...args: string[]): Promise<Finished> => meshHere(['logs', ...args], folder.environment);

  it('says so to people and to programs, and that there is a limit', async () => {
    const file = await open(log, 'w');
    const line = entry(0, 'order', 'x'.repeat(MAX_LINE_BYTES - 1_000));
    for (let megabytes = 0; megabytes <= MAX_MEGABYTES; megabytes += 1) await file.write(line.repeat(4));
    await file.close();
    const says = `older lines are left out: one answer has at most ${MAX_MEGABYTES} MB`;
    expect((await here('-n', '1000')).stderr).to.include(says);
    const { exitCode, stdout, stderr } = await here('-n', '1000', '--json');
    expect({ exitCode, isCut: stdout.split('\n').length < 4 * (MAX_MEGABYTES + 1) }).to.deep.equal({ exitCode: 0, isCut: true });
    expect(JSON.parse(stderr)).to.have.property('warning').that.includes(says);
    expect((await here('--help')).stdout).to.include(`at most 100000 lines and ${MAX_MEGABYTES} MB`);
  });

  it('says so where all were wanted, and not where only the last ones were', async () => {
    await writeFile(log, entry(0, 'order', 'x').repeat(100_001));
    expect((await here('--since', '1h')).stderr).to.include('older lines are left out: one answer has at most 100000;');
    for (const wanted of [['--since', '1h', '-n', '5'], []]) expect((await here(...wanted)).stderr).to.equal('');
  });
});
