import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { MODULE_NAMES } from '#modules';

import { consulFiles } from '../../deploy/consul/consul-files.ts';
import { projectRoot } from './compose-file.ts';

const folder = join(projectRoot, 'deploy/consul');

describe('the files for Consul', () => {
  it('are what follows from the services: `npx node deploy/consul/write.ts` writes them', async () => {
    const wanted = await consulFiles();
    const there = await Promise.all(
      ['policies', 'intentions'].map(async (kind) => (await readdir(join(folder, kind))).map((name) => `${kind}/${name}`)),
    );
    expect(there.flat()).to.have.members([...wanted.keys()]);
    for (const [path, text] of wanted) expect(await readFile(join(folder, path), 'utf8'), path).to.equal(text);
  });

  it('let each service write itself, and nobody else', async () => {
    const files = await consulFiles();
    for (const name of MODULE_NAMES) {
      const written = [...(files.get(`policies/${name}.hcl`) ?? '').matchAll(/(\w+) "(.*)" \{\n {2}policy += "write"/g)];
      expect(written.map(([, kind, value]) => `${kind} ${value}`), name).to.deep.equal([`service ${name}`]);
    }
  });
});
