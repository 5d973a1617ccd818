import { createLog, MeshError, refusal } from '#kit';
import { isModuleName, loadModule, MODULE_NAMES, type ModuleName } from '#modules';

import { type ChildMessage, isStartMessage } from '../local/messages.ts';
import type { Output } from '../output.ts';
import { type ProcessHooks, serve } from '../serving/serve.ts';
import { loadSettings } from '../settings.ts';
import { whenSignalled } from '../signals.ts';

export interface ServeOptions {
  /** Started by `mesh up`: settings come over the channel, and its end is ours. */
  readonly supervised?: boolean;
  readonly hooks?: ProcessHooks;
  readonly flags?: Readonly<Record<string, string | undefined>>;
}

/** `mesh serve <module…>`: these services in one process, until a signal. */
export async function serveCommand(names: readonly string[], output: Output, { supervised = false, hooks = {}, flags = {} }: ServeOptions): Promise<void> {
  const modules = names.map(moduleName);
  const ended = whenTold(supervised);
  try {
    if (supervised) Object.assign(process.env, await startMessage(modules));
    const settings = await loadSettings(flags);
    const log = createLog({ level: settings.values.MESH_LOG_LEVEL });
    const running = await serve(modules, settings, log, hooks);
    tell({ kind: 'ready', services: running.services });
    if (!supervised) {
      output.answer(
        () => [...running.services.map(({ name, address, port }) => `${name} serves on ${address}:${port}`), 'Ctrl-C stops it'].join('\n'),
        running.services,
      );
    }
    await ended;
    await within(running.stop(), settings.values.MESH_STOP_TIMEOUT);
  } catch (thrown) {
    const { reason, message } = MeshError.from(thrown);
    tell({ kind: 'failed', reason, message });
    throw thrown;
  } finally {
    if (process.connected) process.disconnect();
  }
}

function moduleName(name: string): ModuleName {
  if (isModuleName(name)) return name;
  throw refusal('INVALID_ARGUMENT', `there is no service ${name}; the services are ${MODULE_NAMES.join(', ')}`);
}

/** Loads the services' code while the supervisor's servers come up. */
async function startMessage(modules: readonly ModuleName[]): Promise<Readonly<Record<string, string>>> {
  const message = new Promise<Readonly<Record<string, string>>>((resolve) => {
    process.on('message', (received) => {
      if (isStartMessage(received)) resolve(received.environment);
    });
  });
  await Promise.all(modules.map(loadModule));
  return message;
}

/** SIGTERM; Ctrl-C, unless a supervisor decides when; and the supervisor's end. */
function whenTold(supervised: boolean): Promise<void> {
  if (!supervised) return whenSignalled(['SIGINT', 'SIGTERM']);
  // A terminal's Ctrl-C reaches every process at once; the supervisor stops its own in order.
  process.on('SIGINT', () => {});
  const disconnected = new Promise<void>((resolve) => process.on('disconnect', resolve));
  return Promise.race([whenSignalled(['SIGTERM']), disconnected]);
}

function tell(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}

/** What does not stop in time is left to the end of the process. */
async function within(stopping: Promise<void>, ms: number): Promise<void> {
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, ms);
  await Promise.race([stopping, timeout.promise]);
  clearTimeout(timer);
}
