import { constants } from 'node:fs';
import { chmod, copyFile, cp, mkdir, readFile, realpath, symlink } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';

import { runProgram, type SystemUser } from './program.ts';

/** What stands for the image that the Dockerfile begins with: Node and npm, and nothing of this clone. */
export interface BaseImage {
  readonly path: string;
  /** How npm reaches its packages on this machine, as variables. */
  readonly npmSettings: Readonly<Record<string, string>>;
}

/**
 * Copies the Node that runs the tests and the machine's npm into a folder that every user
 * may enter: the clone may lie where only its owner may.
 */
export async function makeBaseImage(folder: string): Promise<BaseImage> {
  const npm = await findNpm();
  const bin = join(folder, 'bin');
  const modules = join(folder, 'lib', 'node_modules');
  await mkdir(bin, { recursive: true });
  await copyFile(process.execPath, join(bin, 'node'), constants.COPYFILE_FICLONE);
  await chmod(join(bin, 'node'), 0o755);
  await cp(npm, join(modules, 'npm'), { recursive: true });
  await symlink(join('..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'), join(bin, 'npm'));
  return { path: [bin, '/usr/bin', '/bin'].join(delimiter), npmSettings: await npmSettings(npm, folder) };
}

/** The folder of npm's package: of the npm that runs the tests, else of the first on the PATH. */
async function findNpm(): Promise<string> {
  const running = process.env['npm_execpath'] ?? '';
  const places = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'npm'));
  for (const place of basename(running) === 'npm-cli.js' ? [running] : places) {
    const found = await realpath(place).catch(() => '');
    if (basename(found) === 'npm-cli.js') return dirname(dirname(found));
  }
  throw new Error('there is no npm on the PATH');
}

/** Where packages come from and how to get there; nothing secret, and nothing that changes what is installed. */
const PASSED_ON = ['registry', 'cafile', 'proxy', 'https-proxy', 'noproxy', 'strict-ssl'] as const;

async function npmSettings(npm: string, folder: string): Promise<Record<string, string>> {
  const text = await runProgram({
    command: process.execPath,
    args: [join(npm, 'bin', 'npm-cli.js'), 'config', 'list', '--json', '--loglevel=silent'],
    cwd: folder,
    env: outerEnvironment(),
    scratch: folder,
  });
  const settings = JSON.parse(text) as Record<string, unknown>;
  const passed = PASSED_ON.flatMap((name) => {
    const value = Array.isArray(settings[name]) ? settings[name].join(',') : settings[name];
    return value === null || value === undefined || value === '' ? [] : [[`npm_config_${name.replaceAll('-', '_')}`, String(value)]];
  });
  // Whoever may read the machine's own cache takes the packages from there.
  if (process.getuid?.() !== 0) passed.push(['npm_config_cache', String(settings['cache'])]);
  return Object.fromEntries(passed) as Record<string, string>;
}

function outerEnvironment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** Root gives its rights up as far as it can, for `nobody`; everybody else has none to give up. */
export async function unprivilegedUser(): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => entry.startsWith('nobody:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (!uid || !gid) throw new Error('there is no user nobody on this machine');
  return { uid: Number(uid), gid: Number(gid) };
}

