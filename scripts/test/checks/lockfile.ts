import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

type Versions = Readonly<Record<string, string>>;
type LockedPackage = { readonly version?: string; readonly optionalDependencies?: Versions };
type Lockfile = { readonly packages: Readonly<Record<string, LockedPackage>> };
type Manifest = Readonly<Partial<Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Versions>>>;

/** What would make the first install fail, or differ from one machine to the next. */
export async function lockfileProblems(root: string): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Lockfile;
  return [...unpinned(manifest, packages), ...withoutEntry(packages)];
}

/** npm 11 on Node 20 quietly takes older versions out of a range: only exact ones are the same everywhere. */
function unpinned(manifest: Manifest, packages: Lockfile['packages']): string[] {
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
  return Object.entries(all).flatMap(([name, version]) => {
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) return [`package.json: ${name} is not pinned exactly: ${version}`];
    const locked = packages[`node_modules/${name}`]?.version;
    return locked === version ? [] : [`package-lock.json: ${name} is locked at ${locked ?? 'nothing'}, package.json says ${version}`];
  });
}

/**
 * A registry that lacks the package of some other platform makes npm write a lock without it,
 * and `npm ci` then refuses that lock everywhere.
 */
function withoutEntry(packages: Lockfile['packages']): string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) => {
    const missing = Object.keys(optionalDependencies).filter(
      (name) => packages[`${path}/node_modules/${name}`] === undefined && packages[`node_modules/${name}`] === undefined,
    );
    const user = path || 'the project';
    return missing.map((name) => `package-lock.json: ${name}, optional for ${user}, has no entry: npm ci would refuse the lock`);
  });
}
