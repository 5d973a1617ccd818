import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { writeWhole } from '#kit';

describe('a file that is written whole', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-whole-'));
    path = join(folder, 'key.pem');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is its owner\'s alone, also where a draft for everybody lies there', async () => {
    await writeFile(`${path}.tmp`, 'a draft that was left', { mode: 0o666 });
    await writeWhole(path, 'secret');
    expect(await readFile(path, 'utf8')).to.equal('secret');
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect(await readdir(folder)).to.deep.equal(['key.pem']);
  });

  it('is not written through a link that somebody has laid', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await writeFile(elsewhere, 'theirs');
    await symlink(elsewhere, `${path}.tmp`);
    await writeWhole(path, 'secret');
    expect([await readFile(path, 'utf8'), await readFile(elsewhere, 'utf8')]).to.deep.equal(['secret', 'theirs']);
  });
});
