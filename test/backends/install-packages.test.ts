import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { findBackend, isPython } from '../../scripts/backends/catalogue.ts';
import { binaryPath, modulesFolder, packagesPath } from '../../scripts/backends/folders.ts';
import { createInstallBench, type InstallBench } from './install-bench.ts';

const grpcio = findBackend('grpcio');

describe('npm run backends, of what runs on Python', () => {
  let bench: InstallBench;
  beforeEach(async () => {
    bench = await createInstallBench(grpcio.version);
  });
  afterEach(() => bench.remove());

  it('fetches packages by pip, with the checksums they may have, and a program that is Python with them', async () => {
    const { cache, log, start } = bench;
    const { code, out, err } = await start(['grpcio']).ended;
    expect(code, out + err).to.equal(0);
    const calls = await readFile(log, 'utf8');
    expect(calls).to.contain('pip install --require-hashes --only-binary=:all: --no-input');
    expect(calls).to.match(/grpcio==1\.85\.1 \\\n +--hash=sha256:[0-9a-f]{64}/);
    expect(await readdir(cache)).to.have.members(['bin', 'python']);
    expect(await readFile(binaryPath(cache, 'grpcio'), 'utf8')).to.contain('exec python3 "$@"');
    expect((await start(['grpcio', '--list']).ended).code).to.equal(0);
    await rm(packagesPath(cache, 'grpcio'), { recursive: true });
    expect((await start(['grpcio', '--list']).ended).code, 'a program without its packages').to.equal(1);
  });

  it('keeps nothing when pip refuses', async () => {
    const { cache, start } = bench;
    const { code, out } = await start(['grpcio'], { FAKE_ERROR: 'THESE PACKAGES DO NOT MATCH THE HASHES' }).ended;
    expect(code).to.equal(1);
    expect(out).to.contain('pip failed').and.to.contain('DO NOT MATCH');
    expect(await readdir(cache)).to.deep.equal(['bin']);
    expect(await readdir(join(cache, 'bin'))).to.deep.equal([]);
  });

  it('locks each at its version, with checksums', async () => {
    expect(isPython(grpcio)).to.equal(true);
    const requirements = await readFile(join(modulesFolder, 'grpcio', 'requirements.txt'), 'utf8');
    const named = requirements.split('\n').filter((line) => /^\w/.test(line));
    expect(named).to.include(`grpcio==${grpcio.version} \\`);
    expect(named.every((line) => /^[\w-]+==[\d.]+ \\$/.test(line)), 'each package has one version').to.equal(true);
  });
});
