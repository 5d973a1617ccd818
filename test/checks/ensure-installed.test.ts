import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectRoot } from './support/project-copy.ts';
import { createScratch, type Scratch } from './support/scratch.ts';

// Stands in for npm: notes how it was called, takes its time, fails on demand, and leaves what
// `npm ci` leaves: the packages and a note of what they are.
const fakeNpm = `
const fs = require('node:fs');
fs.appendFileSync('npm.log', JSON.stringify({ args: process.argv.slice(2), env: process.env }) + '\\n');
setTimeout(() => {
  if (process.env.FAKE_ERROR) { console.error(process.env.FAKE_ERROR); process.exit(1); }
  const { packages } = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
  delete packages[''];
  fs.mkdirSync('node_modules/.bin', { recursive: true });
  fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }));
  fs.rmSync('node_modules/.bin/node', { force: true });
  fs.symlinkSync(process.env.FAKE_NODE || process.execPath, 'node_modules/.bin/node');
}, Number(process.env.FAKE_TAKES_MS ?? 0));
`;

const lockOf = (version: string): string =>
  JSON.stringify({
    packages: {
      '': { name: 'fixture' },
      'node_modules/a': { version, integrity: `sha512-${version}` },
      'node_modules/a-elsewhere': { version, optional: true, os: ['elsewhere'], cpu: [process.arch] },
    },
  });

type Call = { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

describe('ensure-installed', function () {
  this.timeout(20_000);
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = await createScratch();
    await scratch.write({ 'package.json': '{"type":"module"}', 'package-lock.json': lockOf('1.0.0'), 'npm/npm-cli.cjs': fakeNpm });
    await mkdir(at('scripts'));
    await cp(join(projectRoot, 'scripts', 'ensure-installed.js'), at('scripts/ensure-installed.js'));
  });
  afterEach(() => scratch.remove());

  const at = (path: string): string => join(scratch.folder, path);

  function start(env: NodeJS.ProcessEnv = {}): { child: ChildProcess; ended: Promise<Ended> } {
    const child = spawn(process.execPath, [at('scripts/ensure-installed.js')], {
      // From elsewhere: it finds the project by its own place.
      cwd: '/',
      env: { ...process.env, npm_execpath: at('npm/npm-cli.cjs'), ...env },
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, out, err })) };
  }
  const run = (env?: NodeJS.ProcessEnv): Promise<Ended> => start(env).ended;
  async function calls(): Promise<Call[]> {
    const log = await readFile(at('npm.log'), 'utf8').catch(() => '');
    return log.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Call);
  }

  it('installs the first time, says so, and is silent from then on', async () => {
    const first = await run();
    expect(first, first.err).to.deep.include({ code: 0, out: '' });
    expect(first.err).to.contain('First run').and.to.contain('Installed.');
    expect(await run()).to.deep.equal({ code: 0, out: '', err: '' });
    expect(await calls()).to.have.length(1);
    expect((await calls())[0]?.args[0]).to.equal('ci');
  });

  it('takes next to no time when there is nothing to do', async () => {
    await run();
    const timeOf = async (args: readonly string[]): Promise<number> => {
      const startedMs = performance.now();
      await once(spawn(process.execPath, args, { stdio: 'ignore' }), 'close');
      return performance.now() - startedMs;
    };
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 10 && least > 30; round += 1) {
      const bare = await timeOf(['-e', '0']);
      least = Math.min(least, (await timeOf([at('scripts/ensure-installed.js')])) - bare);
    }
    expect(least).to.be.at.most(30);
  });

  it('installs again when the lock has changed', async () => {
    await run();
    await writeFile(at('package-lock.json'), lockOf('1.0.1'));
    expect((await run()).err).to.contain('have changed');
    expect(await calls()).to.have.length(2);
  });

  it('takes an install by hand for its own, without network', async () => {
    await run();
    await rm(at('node_modules/.shopmesh-installed'));
    expect(await run()).to.deep.equal({ code: 0, out: '', err: '' });
    expect(await calls()).to.have.length(1);
  });

  it('does not take one for it that was broken off or left packages out', async () => {
    await run();
    await rm(at('node_modules/.shopmesh-installed'));
    await writeFile(at('node_modules/.package-lock.json'), '{"packages":{}}');
    expect((await run()).err).to.contain('Installed.');
    expect(await calls()).to.have.length(2);
  });

  it('installs once when two runs start together; the second waits', async () => {
    const ended = await Promise.all([run({ FAKE_TAKES_MS: '800' }), run({ FAKE_TAKES_MS: '800' })]);
    expect(ended.map(({ code }) => code)).to.deep.equal([0, 0]);
    expect(await calls()).to.have.length(1);
    expect(ended.map(({ err }) => err).join('')).to.contain('Another run is installing').and.to.contain('Installed.');
  });

  it('takes over from a run that was killed', async () => {
    const first = start({ FAKE_TAKES_MS: '1500' });
    while ((await calls()).length === 0) await new Promise((wake) => setTimeout(wake, 20));
    first.child.kill('SIGKILL');
    await first.ended;
    // Its npm still works: the second waits for that one too, and finds all done.
    const second = await run();
    expect(second.code, second.err).to.equal(0);
    expect(second.err).to.contain('Another run is installing');
    await writeFile(at('.mesh/install.lock'), '4194304');
    await rm(at('node_modules'), { recursive: true });
    expect((await run()).code).to.equal(0);
  });

  it("keeps npm's settings for this script from the npm inside, but not where packages come from", async () => {
    const env = {
      npm_config_omit: 'dev',
      npm_config_ignore_scripts: 'true',
      npm_config_dry_run: 'true',
      npm_lifecycle_event: 'pretest',
      npm_config_registry: 'http://localhost:4873/',
      'npm_config_@shop:registry': 'http://localhost:4874/',
      npm_config_https_proxy: 'http://localhost:3128/',
      NODE_ENV: 'production',
    };
    await run(env);
    const [call] = await calls();
    const kept = Object.keys(call?.env ?? {}).filter((name) => name in env);
    expect(kept).to.have.members(['npm_config_registry', 'npm_config_@shop:registry', 'npm_config_https_proxy', 'NODE_ENV']);
    expect(call?.args).to.include('--include=dev');
  });

  const failures: readonly [what: string, error: string, says: string][] = [
    ['without network', 'npm error code ENOTFOUND\nnpm error network', 'The package registry cannot be reached'],
    ['without the right to write', 'npm error code EACCES', `npm may not write to`],
    ['with a full disk', 'npm error code ENOSPC', 'The disk is full'],
    ['with a lock that does not fit', 'npm error code EUSAGE', 'package.json and package-lock.json disagree'],
    ['for a reason of its own', 'npm error code E418', '`npm ci` failed'],
  ];
  for (const [what, error, says] of failures) {
    it(`says what to do when npm fails ${what}`, async () => {
      const { code, err } = await run({ FAKE_ERROR: error });
      expect(code).to.equal(1);
      expect(err).to.contain(says).and.to.contain(error).and.not.to.match(/\n\s+at /);
      expect((await run()).code, 'the next run tries again').to.equal(0);
    });
  }

  it('says so when the Node that came along does not run here', async () => {
    const { code, err } = await run({ FAKE_NODE: '/bin/false' });
    expect(code).to.equal(1);
    expect(err).to.contain('No Node 24 comes as a package for this system');
  });
});
