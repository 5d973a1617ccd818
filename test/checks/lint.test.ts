import { join } from 'node:path';
import { expect } from 'chai';
import { runTool } from '../../scripts/test/run-tool.ts';
import { projectRoot } from './support/project-copy.ts';
import { createScratch, type Scratch } from './support/scratch.ts';

const config = join(projectRoot, '.oxlintrc.json');
const { signal } = new AbortController();

describe('lint', () => {
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = await createScratch();
  });
  afterEach(() => scratch.remove());

  async function lint(files: Readonly<Record<string, string>>): Promise<string> {
    await scratch.write(files);
    const { ok, output } = await runTool(projectRoot, ['oxlint', '--config', config, '--format', 'unix', scratch.folder], signal);
    expect(ok, output).to.equal(!output.includes('Error/'));
    return output;
  }

  const refused: readonly [what: string, source: string, rule: string][] = [
    ['any', 'export const x: any = 1;', 'no-explicit-any'],
    ['any hidden in a generic', 'export const x: readonly any[] = [];', 'no-explicit-any'],
    ['a loose comparison', 'export const same = (a: string, b: string) => a == b;', 'eqeqeq'],
    ['a default export', 'export default 1;', 'no-default-export'],
    ['a claim that something is there', 'export const x = (y?: string) => y!;', 'no-non-null-assertion'],
    ['a check switched off', '// @ts-ignore\nexport const x = 1;', 'ban-ts-comment'],
    ['printing to the console', "console.log('x');", 'no-console'],
    ['ending the process', 'process.exit(1);', 'no-process-exit'],
    ['an import that nobody uses', "import { join } from 'node:path';", 'no-unused-vars'],
  ];
  for (const [what, source, rule] of refused) {
    it(`refuses ${what}`, async () => {
      expect(await lint({ 'kit/x.ts': `${source}\n` })).to.contain(rule);
    });
  }

  it('refuses a cycle', async () => {
    const output = await lint({
      'kit/a.ts': "import { b } from './b.ts';\nexport const a = (): number => b() + 1;\n",
      'kit/b.ts': "import { a } from './a.ts';\nexport const b = (): number => a() - 1;\n",
    });
    expect(output).to.contain('no-cycle');
  });

  it('lets plain code pass', async () => {
    const output = await lint({ 'kit/x.ts': 'export const double = (x: number): number => 2 * x;\n' });
    expect(output).not.to.contain('Error/');
  });
});
