import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readArguments } from '../../scripts/test/arguments.ts';
import { readSourceTree } from '../../scripts/test/imports/read-tree.ts';
import { findTests } from '../../scripts/test/mocha/find-tests.ts';
import { groupFiles, LONGEST_SECONDS } from '../../scripts/test/mocha/group-files.ts';
import { createTiers } from '../../scripts/test/mocha/tiers.ts';
import { projectRoot } from './support/project-copy.ts';
import { createScratch, type Scratch } from './support/scratch.ts';

describe('npm test', () => {
  describe('its arguments', () => {
    it('without any run all stages', () => {
      expect(readArguments([])).to.deep.include({ action: 'run', stages: ['checks', 'unit', 'embedded', 'real'], files: [] });
    });

    it('leave out the checks where tests are asked for', () => {
      expect(readArguments(['--grep', 'x'])).to.deep.include({ stages: ['unit', 'embedded', 'real'], grep: 'x' });
      expect(readArguments(['test/a.test.ts'])).to.deep.include({ stages: ['unit', 'embedded', 'real'], files: ['test/a.test.ts'] });
    });

    it('choose stages', () => {
      expect(readArguments(['--only', 'real,checks'])).to.deep.include({ stages: ['checks', 'real'] });
      expect(readArguments(['--only', 'unit', '--only', 'real'])).to.deep.include({ stages: ['unit', 'real'] });
    });

    const refused: readonly [args: string[], says: string][] = [
      [['--only', 'moon'], 'There is no stage "moon"'],
      [['--colour'], '--colour'],
      [['--jobs', 'many'], '--jobs takes a number'],
      [['--grep', '('], 'regular expression'],
    ];
    for (const [args, says] of refused) {
      it(`refuse ${args.join(' ')}`, () => {
        const request = readArguments(args);
        expect(request.action === 'refuse' ? request.reason : '').to.contain(says);
      });
    }
  });

  describe('its files', () => {
    let scratch: Scratch;
    before(async () => {
      scratch = await createScratch();
      await scratch.write({
        'package.json': JSON.stringify({ imports: { '#kit': './kit/index.ts', '#database/embedded': './database/embedded/index.ts' } }),
        'kit/index.ts': 'export {};\n',
        'database/embedded/index.ts': "import 'node:child_process';\n",
        'cli/start.ts': "export const start = () => import('./supervisor.ts');\n",
        'cli/supervisor.ts': "import 'node:child_process';\n",
        'cli/words.ts': 'export {};\n',
        'test/backends/locate.ts': 'export {};\n',
        'test/support/postgres.ts': "import '#database/embedded';\n",
        'test/kit/a.test.ts': "import '#kit';\n",
        'test/kit/spawns.test.ts': "import { spawn } from 'node:child_process';\nspawn('x');\n",
        'test/kit/soak.long.test.ts': 'export {};\n',
        'test/order/store.test.ts': "import '../support/postgres.ts';\n",
        'test/order/shop.test.ts': "import '../../cli/start.ts';\n",
        'test/order/words.test.ts': "import '../../cli/words.ts';\n",
        'test/order/rows.test.ts': "import '../support/postgres.ts';\n",
        'test/order/consul.test.ts': "import '../backends/locate.ts';\nimport '../support/postgres.ts';\n",
      });
    });
    after(() => scratch.remove());

    const find = async (...asked: string[]) => {
      const { files } = await readSourceTree(scratch.folder);
      return findTests(scratch.folder, files, asked);
    };

    it('are all but the long ones', async () => {
      const found = await find();
      expect(found.state === 'found' && found.files).to.have.length(7).and.not.to.include('test/kit/soak.long.test.ts');
    });

    it('can be named, by file or folder; a long one only by itself', async () => {
      expect(await find('test/kit')).to.deep.equal({ state: 'found', files: ['test/kit/a.test.ts', 'test/kit/spawns.test.ts'] });
      expect(await find('./test/kit/soak.long.test.ts')).to.deep.equal({ state: 'found', files: ['test/kit/soak.long.test.ts'] });
    });

    it('must be there', async () => {
      expect(await find('test/moon')).to.deep.equal({ state: 'unknown', reason: 'There is no file or folder test/moon.' });
      expect(await find('kit/index.ts')).to.deep.include({ state: 'unknown' });
    });

    it('belong to a tier by what they import, near or far', async () => {
      const tierOf = createTiers(await readSourceTree(scratch.folder));
      expect(tierOf('test/kit/a.test.ts')).to.equal('unit');
      expect(tierOf('test/kit/spawns.test.ts')).to.equal('embedded');
      expect(tierOf('test/order/store.test.ts')).to.equal('embedded');
      expect(tierOf('test/order/shop.test.ts')).to.equal('embedded');
      expect(tierOf('test/order/words.test.ts')).to.equal('unit');
      expect(tierOf('test/order/consul.test.ts')).to.equal('real');
    });

    it('that are named need only what they reach read', async () => {
      const tree = await readSourceTree(scratch.folder, ['test/order/shop.test.ts']);
      const read = [...new Set(tree.edges.map(({ from }) => from))];
      expect(read).to.include('test/order/shop.test.ts').and.not.to.include('test/order/consul.test.ts');
      expect(createTiers(tree)('test/order/shop.test.ts')).to.equal('embedded');
    });

    it('share processes, those that start no more than the Postgres they share apart from the others', async () => {
      const files = ['test/kit/spawns.test.ts', 'test/order/rows.test.ts', 'test/order/shop.test.ts', 'test/order/store.test.ts'];
      expect(groupFiles(files, await readSourceTree(scratch.folder))).to.have.deep.members([
        { files: ['test/kit/spawns.test.ts', 'test/order/shop.test.ts'], mostlyWaits: false },
        { files: ['test/order/rows.test.ts', 'test/order/store.test.ts'], mostlyWaits: true },
      ]);
    });

    it('are no more than twenty in a process, neighbours together', async () => {
      const files = Array.from({ length: 45 }, (_, index) => `test/kit/${index}.test.ts`);
      const groups = groupFiles(files, await readSourceTree(scratch.folder));
      expect(groups.map((group) => group.files)).to.deep.equal([files.slice(0, 15), files.slice(15, 30), files.slice(30)]);
    });

    it('start with the longest, which are known by their names', async () => {
      const longest = Object.keys(LONGEST_SECONDS);
      for (const file of longest) expect(existsSync(join(projectRoot, file)), file).to.equal(true);
      const groups = groupFiles(['test/kit/spawns.test.ts', ...longest.toReversed()], await readSourceTree(scratch.folder));
      expect(groups.map(({ files }) => files)).to.deep.equal([...longest, 'test/kit/spawns.test.ts'].map((file) => [file]));
    });
  });
});
