import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { generatedDrift } from '../../scripts/test/contracts/generated-drift.ts';
import { copyProject, type ProjectCopy } from './support/project-copy.ts';

const { signal } = new AbortController();
const gen = 'proto/gen/shop/user/v1';

describe('generated code', function () {
  this.timeout(30_000);
  let copy: ProjectCopy;
  beforeEach(async () => {
    copy = await copyProject();
  });
  afterEach(() => copy.remove());

  it('is reported when edited, missing or left over', async () => {
    expect(await generatedDrift(copy.folder, signal)).to.deep.equal([]);
    await copy.edit(`${gen}/user_pb.js`, 'export const', '// by hand\nexport const');
    await rm(join(copy.folder, gen, 'user_pb.d.ts'));
    await copy.write({ [`${gen}/member_pb.js`]: 'export {};\n' });
    expect(await generatedDrift(copy.folder, signal)).to.deep.equal([
      `${gen}/member_pb.js comes from no contract: run \`npm run generate\``,
      `${gen}/user_pb.d.ts is missing: run \`npm run generate\``,
      `${gen}/user_pb.js is out of date: run \`npm run generate\``,
    ]);
  });

  it('is reported when a contract has changed since', async () => {
    await copy.edit('proto/shop/user/v1/user.proto', 'message CreateUserResponse {', 'message CreateUserResponse {\n  string note = 99;');
    const problems = await generatedDrift(copy.folder, signal);
    expect(problems.join('\n')).to.contain(`${gen}/user_pb.js is out of date`);
  });

  it('says what buf says when a contract does not compile', async () => {
    await copy.edit('proto/shop/user/v1/user.proto', 'message CreateUserResponse {', 'message CreateUserResponse');
    const problem = await generatedDrift(copy.folder, signal).then(String, String);
    expect(problem).to.contain('buf generate').and.to.contain('user.proto');
  });
});
