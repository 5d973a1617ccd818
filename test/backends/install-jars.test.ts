import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { backends, isJars } from '../../scripts/backends/catalogue.ts';
import { binaryPath, modulesFolder } from '../../scripts/backends/folders.ts';
import { createInstallBench, type InstallBench } from './install-bench.ts';

describe('npm run backends, of what runs on Java', () => {
  let bench: InstallBench;
  let folder = '';
  let cache = '';
  let log = '';
  let start: InstallBench['start'];

  beforeEach(async () => {
    bench = await createInstallBench('4.1.0');
    ({ folder, cache, log, start } = bench);
  });
  afterEach(() => bench.remove());

  it('takes jars from Maven only if each is the one that was committed', async () => {
    const jars = join(folder, 'jars');
    await mkdir(jars);
    const list = await readFile(join(modulesFolder, 'kafka', 'jars.sha256'), 'utf8');
    for (const line of list.trim().split('\n')) await writeFile(join(jars, line.slice(66)), 'another jar');
    const { code, out } = await start(['kafka'], { FAKE_JARS: jars }).ended;
    expect(code).to.equal(1);
    expect(out).to.contain('Maven failed').and.to.contain('the checksum of kafka_2.13-4.1.0.jar is not the one in jars.sha256');
    const calls = await readFile(log, 'utf8');
    expect(calls).to.match(/--strict-checksums org\.apache\.maven\.plugins:maven-dependency-plugin:[\d.]+:copy-dependencies -DoutputDirectory=/);
    expect(await readdir(cache)).to.deep.equal(['bin']);
    expect(await readdir(join(cache, 'bin'))).to.deep.equal([]);
  });

  it('shows what Maven said, and what to install where there is no Java', async () => {
    const failed = await start(['kafka'], { FAKE_ERROR: 'Could not resolve dependencies' }).ended;
    expect(failed.code).to.equal(1);
    expect(failed.out).to.contain('Maven failed').and.to.contain('Could not resolve dependencies');
    await rm(join(folder, 'bin', 'java'));
    const without = await start(['kafka'], { PATH: join(folder, 'bin') }).ended;
    expect(without.code).to.equal(1);
    expect(without.out).to.contain('no `mvn` or no `java`');
  });

  it('does not take a program for installed whose jars are gone', async () => {
    await mkdir(join(cache, 'bin'), { recursive: true });
    await writeFile(binaryPath(cache, 'kafka'), '#!/bin/sh\n');
    const { out } = await start(['--list', 'kafka']).ended;
    expect(out).to.contain('not installed');
  });
});

describe('the lists of jars', () => {
  for (const backend of backends) {
    if (!isJars(backend)) continue;
    it(`have ${backend.name} at ${backend.version}, with checksums`, async () => {
      const folder = join(modulesFolder, backend.name);
      const dependency = new RegExp(`<artifactId>${backend.artifact}</artifactId>\\s*<version>${backend.version}</version>`);
      expect(await readFile(join(folder, 'pom.xml'), 'utf8')).to.match(dependency);
      const lines = (await readFile(join(folder, 'jars.sha256'), 'utf8')).trim().split('\n');
      for (const line of lines) expect(line).to.match(/^[0-9a-f]{64} {2}[\w.-]+\.jar$/);
      expect(lines.map((line) => line.slice(66))).to.include(`${backend.artifact}-${backend.version}.jar`);
    });
  }
});
