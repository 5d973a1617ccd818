import { execFile } from 'node:child_process';
import { chmod, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { lastLine } from './support/last-line.ts';
import { projectRoot } from './support/project-copy.ts';
import { createScratch, type Scratch } from './support/scratch.ts';

const execute = promisify(execFile);
const script = join(projectRoot, '.ci', 'run');

describe('.ci/run', () => {
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = await createScratch();
  });
  afterEach(() => scratch.remove());

  /** Runs it where only these commands are installed; the ones that are no real programs do nothing. */
  async function runWith(...commands: string[]): Promise<{ code: unknown; stdout: string }> {
    for (const name of ['bash', 'dirname', ...commands]) {
      const target = await execute('/bin/sh', ['-c', `command -v ${name}`]).then(({ stdout }) => stdout.trim(), () => '');
      if (target !== '' && !commands.includes(name)) await symlink(target, join(scratch.folder, name));
      else await scratch.write({ [name]: '#!/bin/sh\n' }).then(() => chmod(join(scratch.folder, name), 0o755));
    }
    const options = { cwd: '/', env: { PATH: scratch.folder } };
    return execute(script, [], options).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: { code: unknown; stdout: string }) => ({ code: error.code, stdout: error.stdout }),
    );
  }

  const missing: readonly [commands: string[], says: string][] = [
    [[], 'git is missing'],
    [['git'], 'Node is missing'],
    [['git', 'node'], 'npm is missing'],
  ];
  for (const [commands, says] of missing) {
    it(`says what is missing where there is only ${commands.join(', ') || 'a shell'}`, async () => {
      const { code, stdout } = await runWith(...commands);
      expect(code).to.equal(1);
      expect(stdout).to.contain(says);
      expect(lastLine(stdout)).to.equal('0 passed, 1 failed, 0 skipped');
    });
  }
});
