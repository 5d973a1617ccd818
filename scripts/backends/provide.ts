import { mkdir } from 'node:fs/promises';
import { type Backend, isGo, isJars } from './catalogue.ts';
import { findGo, howToGetGo } from './find-go.ts';
import { howToGetPython } from './fetch-from-wheel.ts';
import { howToGetMaven } from './fetch-jars.ts';
import { findProgram } from './find-program.ts';
import { backendsFolder, binaryPath, modulesFolder, platform, type Environment } from './folders.ts';
import { installBackend, installedSize, linkBackend, removeStale } from './install.ts';
import { startProgress, type ProgressOutput } from './progress.ts';

export type Outcome = { readonly backend: Backend; readonly path: string } & (
  | { readonly state: 'present'; readonly bytes: number }
  | { readonly state: 'built'; readonly bytes: number; readonly seconds: number }
  | { readonly state: 'missing' | 'stopped' }
  | { readonly state: 'failed'; readonly reason: string }
);

export type ProvideOptions = {
  readonly chosen: readonly Backend[];
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly progress: ProgressOutput;
  readonly onOutcome: (outcome: Outcome) => void;
};

/** What is installed of the chosen ones; builds nothing. */
export async function listBackends(chosen: readonly Backend[], env: Environment): Promise<Outcome[]> {
  const folder = backendsFolder(env);
  return Promise.all(
    chosen.map(async (backend): Promise<Outcome> => {
      const path = binaryPath(folder, backend.name);
      const bytes = await installedSize(folder, backend);
      return bytes === undefined ? { backend, path, state: 'missing' } : { backend, path, state: 'present', bytes };
    }),
  );
}

/**
 * Installs what is missing, one after the other: a Go build fills two cores by
 * itself. One that fails does not keep the next from being tried.
 */
export async function provideBackends(options: ProvideOptions): Promise<Outcome[]> {
  const { chosen, env, signal, onOutcome } = options;
  const folder = backendsFolder(env);
  const outcomes: Outcome[] = [];
  let go: string | undefined;
  for (const found of await listBackends(chosen, env)) {
    let outcome = found;
    if (found.state === 'present') {
      await linkBackend(folder, found.backend);
    } else if (signal.aborted) {
      outcome = { ...found, state: 'stopped' };
    } else if (isGo(found.backend)) {
      go ??= await prepare(folder, () => requireGo(env));
      outcome = await provideOne(found.backend, { ...options, folder, tool: go });
    } else {
      const fetcher = isJars(found.backend) ? maven : pip;
      const tool = await prepare(folder, () => fetcher.find(env));
      outcome = tool ? await provideOne(found.backend, { ...options, folder, tool }) : { ...found, state: 'failed', reason: fetcher.howToGet };
    }
    outcomes.push(outcome);
    onOutcome(outcome);
  }
  return outcomes;
}

/** What fetches a backend that is not built. Where it is missing, that backend fails and the next is tried. */
type Fetcher = { readonly howToGet: string; find(env: Environment): Promise<string | undefined> };

const pip: Fetcher = { howToGet: howToGetPython, find: (env) => findProgram('python3', env) };

const maven: Fetcher = {
  howToGet: howToGetMaven,
  // Maven can be there with a Java of its own, which the jars would not find.
  find: async (env) => ((await findProgram('java', env)) === undefined ? undefined : findProgram('mvn', env)),
};

/** A sentence for people, thrown when nothing can be built at all. */
export class CannotBuild extends Error {}

/** Makes the folder ready, once there is the tool that will fill it. */
async function prepare<Tool extends string | undefined>(folder: string, findTool: () => Promise<Tool>): Promise<Tool> {
  if (process.platform === 'win32') {
    throw new CannotBuild('The backends are built for Linux and macOS. On Windows run this inside WSL.');
  }
  const tool = await findTool();
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const hint = 'Set MESH_BACKENDS_DIR to a folder that you may write to.';
    throw new CannotBuild(`The folder ${folder} cannot be made: ${reason}\n${hint}`, { cause });
  }
  await removeStale(folder, Date.now());
  return tool;
}

async function requireGo(env: Environment): Promise<string> {
  const go = await findGo(env);
  if (go === undefined) throw new CannotBuild(howToGetGo);
  return go;
}

type OneOptions = ProvideOptions & { readonly folder: string; readonly tool: string };

async function provideOne(backend: Backend, options: OneOptions): Promise<Outcome> {
  const { folder, tool, env, signal } = options;
  const path = binaryPath(folder, backend.name);
  const startedMs = performance.now();
  const progress = startProgress(options.progress, `${backend.name} ${backend.version}`);
  try {
    const onStep = progress.step;
    const result = await installBackend(backend, { folder, modules: modulesFolder, tool, env, signal, onStep });
    if (result.state !== 'built') return { backend, path, ...result };
    const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
    return { backend, path, state: 'built', seconds, bytes: (await installedSize(folder, backend)) ?? 0 };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { backend, path, state: 'failed', reason };
  } finally {
    progress.stop();
  }
}

/** The outcomes as a program reads them. */
export function describeOutcomes(outcomes: readonly Outcome[], env: Environment): string {
  const list = outcomes.map(({ backend: { name, version }, ...rest }) => ({ name, version, platform, ...rest }));
  return `${JSON.stringify({ folder: backendsFolder(env), backends: list }, undefined, 2)}\n`;
}
