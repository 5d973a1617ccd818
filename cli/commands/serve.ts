import { createLog, MeshError, refusal } from '#kit';
import { loadModule, type ModuleName } from '#modules';

import { settingsOfRunningShop } from './running-shop.ts';
import { type ChildMessage, isStartMessage } from '../local/messages.ts';
import { createSupervisedMigrator } from '../local/supervised-migrator.ts';
import type { Output } from '../output.ts';
import { requirePolicySettings } from '../policies/require-policy-settings.ts';
import { readModuleName } from '../read-module-name.ts';
import { consulOrigin } from '../serving/consul-origin.ts';
import { type ProcessHooks, serve, type ServingProcess } from '../serving/serve.ts';
import { loadSettings, portSetting, type Resolved } from '../settings.ts';
import { whenSignalled, whenSignalledAgain } from '../signals.ts';

export interface ServeOptions {
  /** Started by `mesh up`: settings come over the channel, and its end is ours. */
  readonly supervised?: boolean;
  readonly hooks?: ProcessHooks;
  /** Of the service, when it is only one. */
  readonly port?: string;
}

/** `mesh serve <module…>`: these services in one process, until a signal. Rejects, too, when they do not stop in time. */
export async function serveCommand(names: readonly string[], output: Output, options: ServeOptions): Promise<void> {
  const { supervised = false, hooks = {}, port } = options;
  const modules = [...new Set(names.map(readModuleName))];
  const flags = portFlag(modules, port);
  const ended = whenTold(supervised);
  if (!supervised) void ended.then(() => output.note('stopping …'));
  try {
    if (supervised && !(await receiveSettings(modules, ended))) return;
    const settings = supervised ? await loadSettings() : (await settingsOfRunningShop(flags)).settings;
    // Below a supervisor it has been looked at.
    if (!supervised) await requirePolicySettings(settings.values.MESH_POLICY);
    const log = createLog({ level: settings.values.MESH_LOG_LEVEL });
    const starting = serve(modules, settings, log, hooks, supervised ? createSupervisedMigrator(process) : undefined);
    const running = await Promise.race([starting, ended]);
    if (running) {
      if (supervised) tell({ kind: 'ready', services: running.services });
      else announce(running, settings, output);
      await ended;
    }
    void hurryWhenTold(starting);
    await stopInTime(starting, modules, settings.values.MESH_STOP_TIMEOUT);
  } catch (thrown) {
    const { reason, message } = MeshError.from(thrown);
    if (supervised) tell({ kind: 'failed', reason, message });
    throw thrown;
  } finally {
    if (supervised && process.connected) process.disconnect();
  }
}

function portFlag(modules: readonly ModuleName[], port: string | undefined): Readonly<Record<string, string>> {
  if (port === undefined) return {};
  const [name, ...others] = modules;
  if (name && others.length === 0) return { [portSetting(name)]: port };
  throw refusal('INVALID_ARGUMENT', `--port is for one service; for several set ${modules.map(portSetting).join(', ')}`);
}

/** Loads the services' code while the supervisor's servers come up, then takes its settings over. False when it ended before. */
async function receiveSettings(modules: readonly ModuleName[], ended: Promise<void>): Promise<boolean> {
  const message = new Promise<Readonly<Record<string, string>>>((resolve) => {
    process.on('message', (received) => {
      if (isStartMessage(received)) resolve(received.environment);
    });
  });
  const loaded = Promise.all(modules.map(loadModule)).then(() => message);
  const environment = await Promise.race([loaded, ended]);
  if (!environment) return false;
  Object.assign(process.env, environment);
  return true;
}

function announce({ services }: ServingProcess, { values }: Resolved, output: Output): void {
  output.answer(
    () =>
      [
        ...services.map(({ name, address, port }) => `${name} serves on ${address}:${port}`),
        `registered with ${consulOrigin(values.CONSUL_HTTP_ADDR)}; Ctrl-C stops ${services.length === 1 ? 'it' : 'them'}`,
      ].join('\n'),
    services,
  );
}

/** SIGTERM; Ctrl-C and the end of the terminal, unless a supervisor decides when; and the supervisor's end. */
function whenTold(supervised: boolean): Promise<void> {
  if (!supervised) return whenSignalled(['SIGINT', 'SIGTERM', 'SIGHUP']);
  // What a terminal sends reaches every process at once; the supervisor stops its own in order.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  const disconnected = new Promise<void>((resolve) => process.on('disconnect', resolve));
  return Promise.race([whenSignalled(['SIGTERM']), disconnected]);
}

/**
 * A second signal, or the end of a supervisor, cuts the waits of the stop short. A third one, a second or more after the
 * second, ends the process at once; below a supervisor only SIGTERM does, as Ctrl-C is for the supervisor to act on.
 */
async function hurryWhenTold(starting: Promise<ServingProcess>): Promise<void> {
  const orphaned = new Promise<void>((resolve) => process.on('disconnect', resolve));
  await Promise.race([whenSignalledAgain(['SIGINT', 'SIGTERM', 'SIGHUP']), orphaned]);
  const running = await starting.catch(() => undefined);
  running?.hurry();
}

function tell(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}

/** Also for one that was told to end while it started: it stops as soon as it is up. What does not stop in time is left to the end of the process. */
async function stopInTime(starting: Promise<ServingProcess>, modules: readonly ModuleName[], ms: number): Promise<void> {
  let running: ServingProcess | undefined;
  const stop = async (): Promise<true> => {
    running = await starting.catch(() => undefined);
    await running?.stop();
    return true;
  };
  const timeout = Promise.withResolvers<false>();
  const timer = setTimeout(timeout.resolve, ms, false);
  const stopped = await Promise.race([stop(), timeout.promise]);
  clearTimeout(timer);
  if (!stopped) throw tooLate(modules, running ? 'had not stopped' : 'had not even started', ms);
}

function tooLate(modules: readonly ModuleName[], what: string, ms: number): MeshError {
  const sentence = `${modules.join(', ')} ${what} after ${ms / 1_000} s, and what was left was cut off: calls at work, spans, or the registration`;
  return refusal('DEADLINE_EXCEEDED', `${sentence}; give the stop more time with MESH_STOP_TIMEOUT`);
}
