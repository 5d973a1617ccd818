import { join } from 'node:path';

import { expect } from 'chai';

import { meshHere } from './support/in-process.ts';
import { type Finished, mesh } from './support/mesh-command.ts';
import { registered, scale } from './support/shop-commands.ts';
import { makeShopFolder, type ShopFolder } from './support/shop-folder.ts';
import { startCalls } from './support/steady-calls.ts';

// With one process for each service: running-shop.test.ts.
describe('mesh scale', function () {
  this.timeout(60_000);
  this.slow(10_000);

  let folder: ShopFolder;
  before(async () => {
    folder = await makeShopFolder();
    await folder.layCluster();
  });
  after(() => folder?.remove());

  const here = (...args: string[]): Promise<Finished> => meshHere(args, folder.environment);

  describe('with the monolith', () => {
    before(async () => {
      const { exitCode, stdout } = await mesh(['up', '--detach', '--topology', 'monolith'], folder);
      expect(exitCode).to.equal(0);
      expect(stdout, 'where to read what it says').to.include(join(folder.dataDir, 'logs', 'up.log'));
    });
    after(async () => {
      await here('down');
      expect(await folder.leftOvers()).to.deep.equal([]);
    });

    it('runs a further instance of one service beside it, on the same data, and says whose calls it gets', async () => {
      const { exitCode, stdout } = await here('scale', 'inventory', '2');
      expect(exitCode).to.equal(0);
      expect(stdout).to.match(/^inventory +\S+ +monolith +\d+\ninventory +\S+ +inventory-2 +\d+\nThe services of the monolith go on calling each other within it/m);
      expect(await registered(folder.environment, 'inventory')).to.have.length(2);
      const calls = await startCalls(folder.controlSocket);
      await calls.untilAnswered(100);
      await scale(folder.environment, 'inventory', '1');
      expect((await calls.stop()).failures, 'one answers for what the other was told').to.deep.equal([]);
    });

    it('takes no service out of it', async () => {
      const { exitCode, stderr } = await here('scale', 'inventory', '0', '--allow-none');
      expect(exitCode).to.equal(1);
      expect(stderr).to.include('inventory is part of the monolith, which runs as a whole: it keeps 1 instance');
    });
  });

  it('explains itself', async () => {
    const { exitCode, stdout } = await here('scale', '--help');
    expect(exitCode).to.equal(0);
    for (const part of ['--allow-none', 'mesh scale inventory 3', 'mesh scale inventory=3 order=2']) expect(stdout).to.include(part);
  });

  it('says when there is no shop that it could scale', async () => {
    const { exitCode, stderr } = await here('scale', 'inventory', '2');
    expect(exitCode).to.equal(1);
    expect(stderr).to.include(`no shop that \`mesh up\` started runs on ${folder.dataDir}`).and.include('mesh serve').and.include('NOT_RUNNING');
  });
});
