import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PythonBackend } from './catalogue.ts';
import type { FetchOptions } from './fetch-options.ts';
import { packagesPath } from './folders.ts';
import { runProgram, type RunResult } from './run-program.ts';

export type FetchPackagesOptions = FetchOptions<PythonBackend> & { readonly python: string };

/**
 * Has pip put the packages of the committed requirements.txt into a folder of their own, each with one of the checksums there;
 * nothing is installed into any Python. All are in place before the program is, which runs Python with them.
 */
export async function fetchPackages(options: FetchPackagesOptions): Promise<RunResult> {
  const { backend, python, modules, folder, output, scratch, env, signal, onStep } = options;
  const packages = join(scratch, 'packages');
  onStep('fetching packages');
  const args = ['-m', 'pip', 'install', '--require-hashes', '--only-binary=:all:', '--no-input', '--disable-pip-version-check', '--target', packages];
  const requirements = join(modules, backend.name, 'requirements.txt');
  const fetched = await runProgram({ command: python, args: [...args, '--requirement', requirements], cwd: scratch, env, signal });
  if (fetched.state !== 'exited' || fetched.code !== 0) return fetched;

  const place = packagesPath(folder, backend.name);
  await mkdir(dirname(place), { recursive: true });
  await rm(place, { recursive: true, force: true });
  await rename(packages, place);
  await writeFile(output, pythonProgram(backend));
  return fetched;
}

/** It finds the packages from its own place, so that the whole cache folder can be moved; `exec` keeps its process id for Python. */
function pythonProgram({ name, version }: PythonBackend): string {
  return `#!/bin/sh
# ${name} ${version}: Python with it, and with Python's arguments. It was fetched for the Python that was there then.
PYTHONPATH="$(dirname -- "$0")/../python/${name}-${version}"
export PYTHONPATH
exec python3 "$@"
`;
}
