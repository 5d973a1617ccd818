import { expect } from 'chai';
import { lockfileProblems } from '../../scripts/test/checks/lockfile.ts';
import { createScratch, type Scratch } from './support/scratch.ts';

describe('the lockfile check', () => {
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = await createScratch();
  });
  afterEach(() => scratch.remove());

  async function problems(dependencies: object, packages: object): Promise<string[]> {
    await scratch.write({
      'package.json': JSON.stringify({ dependencies }),
      'package-lock.json': JSON.stringify({ packages }),
    });
    return lockfileProblems(scratch.folder);
  }

  it('passes exact versions, locked', async () => {
    const packages = { 'node_modules/a': { version: '1.2.3' }, 'node_modules/@b/c': { version: '2.0.0-beta.17' } };
    expect(await problems({ a: '1.2.3', '@b/c': '2.0.0-beta.17' }, packages)).to.deep.equal([]);
  });

  it('reports a range, and a lock that says something else', async () => {
    const packages = { 'node_modules/a': { version: '1.2.3' }, 'node_modules/b': { version: '1.0.0' } };
    expect(await problems({ a: '^1.2.3', b: '1.0.1', c: '1.0.0' }, packages)).to.deep.equal([
      'package.json: a is not pinned exactly: ^1.2.3',
      'package-lock.json: b is locked at 1.0.0, package.json says 1.0.1',
      'package-lock.json: c is locked at nothing, package.json says 1.0.0',
    ]);
  });

  it("reports another platform's package that the lock lacks", async () => {
    const optionalDependencies = { 'a-darwin': '1.0.0', 'a-linux': '1.0.0' };
    const packages = { 'node_modules/a': { version: '1.0.0', optionalDependencies }, 'node_modules/a-linux': {} };
    const [problem, ...others] = await problems({ a: '1.0.0' }, packages);
    expect(problem).to.contain('a-darwin, optional for node_modules/a, has no entry');
    expect(others).to.deep.equal([]);
  });
});
