import { join } from 'node:path';

import { createLog, MeshError, systemClock } from '#kit';

import { type DataFolder, openDataFolder } from '../local/data-folder.ts';
import { detach, tellStarter } from '../local/detach.ts';
import { greetWithSample } from '../local/greet-with-sample.ts';
import { startSupervisor, type Supervisor } from '../local/supervisor.ts';
import { welcome } from '../local/welcome.ts';
import { type Output, seconds } from '../output.ts';
import { loadSettings, type Resolved } from '../settings.ts';
import { INTERRUPTED, whenSignalled } from '../signals.ts';
import { VERSION } from '../version.ts';
import { checkSettings } from './check-settings.ts';

export interface UpOptions {
  readonly detach?: boolean;
  /** Write demo data where they are missing and place a sample order. */
  readonly demo?: boolean;
  /** Started by `--detach`, which waits to be told how it goes. */
  readonly detached?: boolean;
  readonly flags: Readonly<Record<string, string | undefined>>;
}

/** `mesh up`: the shop and whatever it stands on, until Ctrl-C or `mesh down`. Resolves with the exit code. */
export async function upCommand(options: UpOptions, output: Output): Promise<number> {
  try {
    return await up(options, output);
  } catch (thrown) {
    const { reason, message } = MeshError.from(thrown);
    if (options.detached) tellStarter({ kind: 'failed', reason, message });
    throw thrown;
  }
}

async function up(options: UpOptions, output: Output): Promise<number> {
  const settings = await loadSettings(options.flags);
  await checkSettings(settings);
  const folder = openDataFolder(settings.values.MESH_DATA_DIR);
  const waiting = progress(output);
  try {
    if (options.detach) return await detach(settings, folder, options, output);
    return await runShop(settings, folder, { ...options, onReady: waiting.stop }, output);
  } finally {
    waiting.stop();
  }
}

async function runShop(settings: Resolved, folder: DataFolder, options: UpOptions & { onReady: () => void }, output: Output): Promise<number> {
  const began = systemClock.now();
  const halt = new AbortController();
  const asked = whenSignalled(['SIGINT', 'SIGTERM', 'SIGHUP']).then(() => {
    output.note('stopping …');
    halt.abort();
  });
  // Only now: whoever reads this may press Ctrl-C.
  output.note(`shopmesh ${VERSION}, ${settings.values.MESH_TOPOLOGY}, everything kept in ${folder.path}`);
  const supervisor = await start(settings, folder, options, halt.signal, output);
  if (!supervisor) return INTERRUPTED;
  const ended = Promise.race([asked, supervisor.stopRequested]);
  try {
    output.note(`ready in ${seconds(systemClock.now() - began)}`);
    const greeting = greet(supervisor, options, output, halt.signal);
    // Told to stop meanwhile, what it was about to say no longer matters, nor that it could not.
    greeting.catch(() => undefined);
    const isUp = await Promise.race([greeting.then(() => true), ended.then(() => false)]);
    options.onReady();
    if (isUp && options.detached) tellStarter({ kind: 'ready' });
    await ended;
    if (!halt.signal.aborted) output.note('stopping …');
  } finally {
    halt.abort();
    await supervisor.stop();
  }
  output.note('stopped; the data stay where they are');
  return 0;
}

/** Undefined when it was told to stop before it was up. */
async function start(settings: Resolved, folder: DataFolder, { demo = false }: UpOptions, signal: AbortSignal, output: Output): Promise<Supervisor | undefined> {
  const destination = join(folder.logs, 'supervisor.log');
  const log = createLog({ level: settings.values.MESH_LOG_LEVEL, base: { service: 'mesh', instance: 'supervisor' }, destination });
  const report = (name: string, what: string): void => output.note(`  ${name.padEnd(12)} ${what}`);
  try {
    return await startSupervisor({ settings, folder, log, report, environment: process.env, demo, signal });
  } catch (thrown) {
    if (MeshError.from(thrown).reason !== 'CANCELLED') throw thrown;
    output.note('stopped before it was up');
    return undefined;
  }
}

async function greet(supervisor: Supervisor, { demo = false, flags }: UpOptions, output: Output, signal: AbortSignal): Promise<void> {
  if (demo) await greetWithSample({ show: async () => welcome(supervisor, await settingsWithin(supervisor, flags), output, signal), output, signal });
  else if (output.json) output.answer(() => '', { services: supervisor.services });
  if (!signal.aborted) output.note('The shop is up. Ctrl-C stops it.');
}

/** The supervisor's own calls know no card provider. */
function settingsWithin({ environment }: Supervisor, flags: UpOptions['flags']): Promise<Resolved> {
  const { MESH_STRIPE_URL: _url, STRIPE_API_KEY: _key, ...ours } = environment;
  return loadSettings({ ...flags, ...ours });
}

/** A line every two seconds, so that nobody wonders. */
function progress(output: Output): { stop(): void } {
  const began = systemClock.now();
  const timer = setInterval(() => output.note(`  … ${seconds(systemClock.now() - began)}`), 2_000);
  return { stop: () => clearInterval(timer) };
}
