import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBackend, type BackendName } from './catalogue.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What is committed of each backend in a folder of its own: go.mod and go.sum, pom.xml and jars.sha256, or requirements.txt. */
export const modulesFolder = fileURLToPath(new URL('../../deploy/backends/', import.meta.url));

/**
 * Where backends are kept: `MESH_BACKENDS_DIR`, else `shopmesh/backends` in the
 * user's cache folder. The XDG specification says that a relative
 * `XDG_CACHE_HOME` is to be ignored.
 */
export function backendsFolder(env: Environment): string {
  const own = env['MESH_BACKENDS_DIR'];
  if (own !== undefined && own !== '') return resolve(own);
  const xdg = env['XDG_CACHE_HOME'];
  const cache = xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache');
  return join(cache, 'shopmesh', 'backends');
}

export const platform = `${process.platform}-${process.arch}`;

/** The binary's own file; version and platform are in its name, so another version is another file. */
export function binaryPath(folder: string, name: BackendName): string {
  return join(folder, 'bin', `${name}-${findBackend(name).version}-${platform}`);
}

/** The jars of a backend that runs on Java. */
export function jarsPath(folder: string, name: BackendName): string {
  return join(folder, 'jars', `${name}-${findBackend(name).version}`);
}

/** The packages of a backend that runs on Python. */
export function packagesPath(folder: string, name: BackendName): string {
  return join(folder, 'python', `${name}-${findBackend(name).version}`);
}

/** A plain name for people who put `bin` on their PATH; it points at the version installed last. */
export function linkPath(folder: string, name: BackendName): string {
  return join(folder, 'bin', name);
}
