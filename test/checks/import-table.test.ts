import { expect } from 'chai';
import { checkImports } from '../../scripts/test/imports/check-imports.ts';
import { projectRoot } from './support/project-copy.ts';
import { createScratch, type Scratch } from './support/scratch.ts';

const entries = {
  '#kit': './kit/index.ts',
  '#database': './database/index.ts',
  '#database/embedded': './database/embedded/index.ts',
  '#discovery': './discovery/index.ts',
  '#mesh': './mesh/index.ts',
  '#saga': './saga/index.ts',
  '#modules': './services/modules.ts',
  '#proto/*': './proto/gen/*',
};
const empty = 'export {};\n';
const kitImport = "import '#kit';\n";

/** What the check says of a tree of these files. */
async function problemsOf(scratch: Scratch, files: Readonly<Record<string, string>>): Promise<string[]> {
  await scratch.write({ 'package.json': JSON.stringify({ imports: entries }), ...files });
  return checkImports(scratch.folder);
}

describe('the import table', () => {
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = await createScratch();
  });
  afterEach(() => scratch.remove());

  it('is kept by this project', async () => {
    expect(await checkImports(projectRoot)).to.deep.equal([]);
  });

  it('lets a tree pass that keeps to it', async () => {
    const problems = await problemsOf(scratch, {
      'kit/index.ts': "export { now } from './clock.ts';\n",
      'kit/clock.ts': "import { hrtime } from 'node:process';\nimport ms from 'ms';\nexport const now = [hrtime, ms];\n",
      'database/index.ts': "import type { Clock } from '#kit';\nexport type Pool = { clock: Clock };\n",
      'database/embedded/index.ts': "import '../index.ts';\n",
      'services/user/service.ts': "import '#kit';\nimport '#database';\nimport '#proto/shop/order/v1/order_pb.js';\n",
      'services/modules.ts': "export const load = () => import('./user/service.ts');\n",
      'cli/index.ts': "import '#modules';\nexport const start = () => import('#database/embedded');\n",
      'cli/load-config.ts': 'export const load = (file: string) => import(file);\n',
      'test/kit/clock.test.ts': "import '../../kit/clock.ts';\nimport '../../scripts/x.ts';\n",
      'scripts/x.ts': empty,
    });
    expect(problems).to.deep.equal([]);
  });

  const forbidden: readonly [what: string, file: string, source: string, says: string][] = [
    ['an edge upwards', 'kit/a.ts', "import { x } from '#mesh';", 'kit may not import mesh (it may import nothing of ours)'],
    ['a type-only edge', 'kit/a.ts', "import type { X } from '#mesh';", 'kit may not import mesh'],
    ['a type named in place', 'kit/a.ts', "export type X = import('#mesh').X;", 'kit may not import mesh'],
    ['a re-export', 'kit/a.ts', "export { x } from '#mesh';", 'kit may not import mesh'],
    ['a lazy edge', 'kit/a.ts', "export const x = () => import('#mesh');", 'kit may not import mesh'],
    ['a lazy edge by template', 'kit/a.ts', 'export const x = () => import(`#mesh`);', 'kit may not import mesh'],
    ['an edge from JavaScript', 'kit/a.js', "import '#mesh';", 'kit may not import mesh'],
    ['a sibling service', 'services/user/a.ts', "import '../order/store.ts';", 'services/user may not import services/order'],
    ['a database in the gateway', 'services/gateway/a.ts', "import '#database';", 'services/gateway may not import database'],
    ['a saga in the gateway', 'services/gateway/a.ts', "import '#saga';", 'services/gateway may not import saga'],
    ['a shop contract in the mesh', 'mesh/a.ts', "import '#proto/shop/order/v1/order_pb.js';", 'may not import the contracts of shop/'],
    ['a foreign package in generated code', 'proto/gen/a.js', "import 'lodash';", 'proto may use @bufbuild/protobuf only'],
    ['a border crossed by a path', 'database/a.ts', "import '../kit/clock.ts';", 'cross the border of kit by its #entry'],
    ['a border crossed by a path to the index', 'database/a.ts', "import '../kit/index.ts';", 'cross the border of kit by its #entry'],
    ['an entry that is not there', 'database/a.ts', "import '#kitt';", 'package.json has no such entry'],
    ['a stand-in in a service', 'services/user/a.ts', "import '#database/embedded';", 'only cli/ may load the stand-in'],
    ['a stand-in in its own folder', 'database/a.ts', "import './embedded/index.ts';", 'only cli/ may load the stand-in'],
    ['a stand-in entered by the side', 'cli/a.ts', "import '../database/embedded/start.ts';", 'enter database/embedded/ by its index.ts'],
    ['a test in the program', 'cli/a.ts', "import '../test/x.ts';", 'nothing of the program imports test/'],
    ['a bench in the program', 'cli/a.ts', "import '../bench/x.ts';", 'nothing of the program imports bench/'],
    ['a test in a script', 'scripts/a.ts', "import '../test/x.ts';", 'scripts/ may not import test/'],
    ['a test in a bench', 'bench/a.ts', "import '../test/x.ts';", 'bench/ may not import test/'],
    ['an import by a computed name', 'kit/a.ts', 'export const x = (name: string) => import(name);', 'by a computed name'],
    ['a folder without a row', 'shared/a.ts', 'export {};', 'shared: is not in the import table'],
    ['a file named utils', 'kit/utils.ts', 'export {};', 'kit/utils.ts: name it after what it holds'],
    ['a folder named helpers', 'test/helpers/a.ts', 'export {};', 'name it after what it holds'],
  ];
  for (const [what, file, source, says] of forbidden) {
    it(`reports ${what}`, async () => {
      const problems = await problemsOf(scratch, { [file]: `${source}\n` });
      expect(problems).to.have.length(1);
      expect(problems[0]).to.contain(says);
    });
  }

  it('names the line', async () => {
    const [problem] = await problemsOf(scratch, { 'kit/a.ts': `${empty}// An import\nimport '#mesh';\n` });
    expect(problem).to.match(/^kit\/a\.ts:3: imports '#mesh'/);
  });

  it('reports a cycle of files, once, with the way around', async () => {
    const problems = await problemsOf(scratch, {
      'kit/a.ts': "import './b.ts';\n",
      'kit/b.ts': "import './c.ts';\n",
      'kit/c.ts': "import './a.ts';\nimport './d.ts';\n",
      'kit/d.ts': empty,
    });
    expect(problems).to.deep.equal(['cycle of files: kit/a.ts -> kit/b.ts -> kit/c.ts -> kit/a.ts']);
  });

  it('reports a cycle that only types and lazy imports close', async () => {
    const problems = await problemsOf(scratch, {
      'kit/a.ts': "import type { B } from './b.ts';\nexport type A = B;\n",
      'kit/b.ts': "export type B = string;\nexport const a = () => import('./a.ts');\n",
    });
    expect(problems).to.deep.equal(['cycle of files: kit/a.ts -> kit/b.ts -> kit/a.ts']);
  });

  it('reports a cycle through the own index', async () => {
    const problems = await problemsOf(scratch, { 'kit/index.ts': "export * from './a.ts';\n", 'kit/a.ts': kitImport });
    expect(problems).to.deep.equal(['cycle of files: kit/a.ts -> kit/index.ts -> kit/a.ts']);
  });

  it('reports folders that need each other, though no files do', async () => {
    const problems = await problemsOf(scratch, {
      'mesh/client/a.ts': "import '../server/b.ts';\n",
      'mesh/server/b.ts': empty,
      'mesh/server/c.ts': "import '../client/d.ts';\n",
      'mesh/client/d.ts': empty,
    });
    expect(problems).to.deep.equal(['cycle of folders: mesh/client/ -> mesh/server/ -> mesh/client/']);
  });

  it('says of a half-written file that it cannot be parsed, and judges the others', async () => {
    const problems = await problemsOf(scratch, { 'kit/a.ts': 'export const = ;\n', 'kit/b.ts': "import '#mesh';\n" });
    expect(problems).to.have.length(2);
    expect(problems[0]).to.contain('kit/a.ts: cannot be parsed');
  });
});
