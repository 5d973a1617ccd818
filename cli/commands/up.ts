import { join } from 'node:path';

import pino from 'pino';

import { createLog, systemClock } from '#kit';

import { openDataFolder } from '../local/data-folder.ts';
import { detach, tellStarter } from '../local/detach.ts';
import { startSupervisor, type Supervisor } from '../local/supervisor.ts';
import { welcome } from '../local/welcome.ts';
import { type Output, seconds } from '../output.ts';
import { loadSettings, type Resolved } from '../settings.ts';
import { whenSignalled } from '../signals.ts';
import { VERSION } from '../version.ts';

export interface UpOptions {
  readonly detach?: boolean;
  /** Write demo data where they are missing and place a sample order. */
  readonly demo?: boolean;
  readonly flags: Readonly<Record<string, string | undefined>>;
}

/** `mesh up`: the shop and whatever it stands on, until Ctrl-C or `mesh down`. */
export async function upCommand(options: UpOptions, output: Output): Promise<void> {
  const settings = await loadSettings(options.flags);
  const folder = openDataFolder(settings.values.MESH_DATA_DIR);
  if (options.detach) return detach(settings, folder, options, output);

  const began = systemClock.now();
  const asked = whenSignalled(['SIGINT', 'SIGTERM', 'SIGHUP']);
  const log = createLog({ level: settings.values.MESH_LOG_LEVEL, destination: pino.destination({ dest: join(folder.logs, 'supervisor.log'), sync: true }) });
  const report = (name: string, what: string): void => output.note(`  ${name.padEnd(10)} ${what}`);
  output.note(`shopmesh ${VERSION}, ${settings.values.MESH_TOPOLOGY}, everything kept in ${folder.path}`);
  const waiting = progress(output);
  let supervisor: Supervisor | undefined;
  try {
    const starting = startSupervisor({ settings, folder, log, report, environment: process.env });
    // A signal during the start waits for what is half up, so that nothing of it stays behind.
    supervisor = await starting;
    await greet(supervisor, options, output, began);
    waiting.stop();
    tellStarter({ kind: 'ready' });
    await Promise.race([asked, supervisor.stopRequested]);
    output.note('stopping …');
  } finally {
    waiting.stop();
    await supervisor?.stop();
  }
  output.note('stopped; the data stay where they are');
}

async function greet(supervisor: Supervisor, { demo = false, flags }: UpOptions, output: Output, began: number): Promise<void> {
  output.note(`ready in ${seconds(systemClock.now() - began)}`);
  if (demo) await welcome(await settingsWithin(supervisor, flags), output);
  else output.answer(() => '', { services: supervisor.services });
  output.note('The shop is up. Ctrl-C stops it.');
}

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
