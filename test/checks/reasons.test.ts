import { expect } from 'chai';
import { reasonProblems } from '../../scripts/test/checks/reasons.ts';
import { createScratch, type Scratch } from './support/scratch.ts';

const catalogue = `export const REASONS = {\n  OUT_OF_STOCK: 'FAILED_PRECONDITION',\n  CANCELLED: 'CANCELLED',\n} as const;\n`;
const given = `throw refusal('OUT_OF_STOCK', 'none left');\nthrow refusal('CANCELLED', 'gone');\n`;
const expected = `await expectRefusal('OUT_OF_STOCK', buy());\nexpect(error.reason).to.equal('CANCELLED');\n`;

describe('the check of reasons', () => {
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = await createScratch();
  });
  afterEach(() => scratch.remove());

  /** What the check says of a product and its tests. */
  async function problemsOf(product: string, tests: string): Promise<string[]> {
    await scratch.write({ 'kit/reasons.ts': catalogue, 'services/shop/buy.ts': product, 'test/shop/buy.test.ts': tests });
    return reasonProblems(scratch.folder);
  }

  it('passes where each is given and expected', async () => {
    expect(await problemsOf(given, expected)).to.deep.equal([]);
  });

  const givers: readonly [what: string, source: string][] = [
    ['a refusal', `throw refusal('OUT_OF_STOCK', 'none left');`],
    ['an error of any code', `throw new MeshError('FAILED_PRECONDITION', 'OUT_OF_STOCK', 'none left');`],
    ['a field', `const failure = { reason: 'OUT_OF_STOCK' };`],
    ['a table', `const reasons = new Map([[1, 'OUT_OF_STOCK']]);`],
  ];
  for (const [what, source] of givers) {
    it(`takes ${what} for giving it`, async () => {
      expect(await problemsOf(`${source}\nthrow refusal('CANCELLED', 'gone');`, expected)).to.deep.equal([]);
    });
  }

  const others: readonly [what: string, source: string][] = [
    ['nothing', ''],
    ['a comment', `// 'OUT_OF_STOCK'`],
    ['a comparison', `if (error.reason === 'OUT_OF_STOCK') retry();`],
    ['a case', `switch (error.reason) { case 'OUT_OF_STOCK': retry(); }`],
    ['a type', `type Final = 'OUT_OF_STOCK';`],
  ];
  for (const [what, source] of others) {
    it(`does not take ${what} for giving it`, async () => {
      expect(await problemsOf(`${source}\nthrow refusal('CANCELLED', 'gone');`, expected)).to.deep.equal([
        'kit/reasons.ts: nothing gives OUT_OF_STOCK; take it out, also of docs/errors.md',
      ]);
    });
  }

  const expectations: readonly [what: string, source: string][] = [
    ['a helper', `await expectRefusal('OUT_OF_STOCK', buy());`],
    ['a comparison', `expect(error.reason).to.equal('OUT_OF_STOCK');`],
    ['a table', `const failures = [{ order: 1, says: 'OUT_OF_STOCK' }];`],
    ['what a command prints', 'expect(stderr).to.equal(`error: none of ${product} is left (FAILED_PRECONDITION, OUT_OF_STOCK)`);'],
  ];
  for (const [what, source] of expectations) {
    it(`takes ${what} for an expectation`, async () => {
      expect(await problemsOf(given, `${source}\nexpect(error.reason).to.equal('CANCELLED');`)).to.deep.equal([]);
    });
  }

  const idle: readonly [what: string, source: string][] = [
    ['a comment', `// OUT_OF_STOCK`],
    ['a title', `it('says OUT_OF_STOCK', () => {}); describe(\`OUT_OF_STOCK \${1}\`, () => {});`],
    ['a refusal that the test makes up', `const fake = () => { throw refusal('OUT_OF_STOCK', 'none left'); };`],
    ['a longer name', `expect(error.reason).to.equal('OUT_OF_STOCKINGS');`],
  ];
  for (const [what, source] of idle) {
    it(`does not take ${what} for an expectation`, async () => {
      expect(await problemsOf(given, `${source}\nexpect(error.reason).to.equal('CANCELLED');`)).to.deep.equal(['kit/reasons.ts: no test expects OUT_OF_STOCK']);
    });
  }

  it('does not take a code for the reason of the same name', async () => {
    const code = `await expectRefusal('OUT_OF_STOCK', buy());\nexpect(error.code).to.equal('CANCELLED');\n`;
    expect(await problemsOf(given, code)).to.deep.equal(['kit/reasons.ts: no test expects CANCELLED']);
    const status = `throw refusal('OUT_OF_STOCK', 'none left');\nexport const status = { code: 'CANCELLED' };`;
    expect(await problemsOf(status, expected)).to.deep.equal(['kit/reasons.ts: nothing gives CANCELLED; take it out, also of docs/errors.md']);
  });

  it('says of a half-written file that it cannot be parsed, and judges the others', async () => {
    await scratch.write({ 'kit/half.ts': 'export const = ;\n' });
    const problems = await problemsOf(given, expected);
    expect(problems).to.have.length(1);
    expect(problems[0]).to.match(/^kit\/half\.ts: cannot be parsed/);
  });

  it('reports a reason that the catalogue does not have', async () => {
    const unknown = `${given}throw new MeshError('NOT_FOUND', 'SHELF_NOT_FOUND', 'no such shelf');`;
    expect(await problemsOf(unknown, expected)).to.deep.equal(['services/shop/buy.ts:3: SHELF_NOT_FOUND is not in kit/reasons.ts']);
  });
});
