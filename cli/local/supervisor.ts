import { backoffMs, createLifecycle, type Log, systemClock, systemRandom } from '#kit';
import { MODULE_NAMES, type ModuleName } from '#modules';

import type { Served } from '../serving/serve.ts';
import type { Resolved } from '../settings.ts';
import { VERSION } from '../version.ts';
import { type Backends, type Environment, startBackends } from './backends.ts';
import { type Child, spawnChild } from './child.ts';
import { openControlSocket, type ProcessStatus, type SupervisorStatus } from './control-socket.ts';
import type { DataFolder } from './data-folder.ts';

export interface SupervisorOptions {
  readonly settings: Resolved;
  readonly folder: DataFolder;
  readonly log: Log;
  readonly report: (name: string, what: string) => void;
  /** What the services' processes inherit, their settings among it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Program that runs `serve`; default: the `mesh` command. Tests put one here that composes their kill points. */
  readonly launcher?: string;
}

/** A running shop. */
export interface Supervisor {
  readonly services: readonly Served[];
  /** The settings that lead to the shop's servers, for whoever wants to call it. */
  readonly environment: Environment;
  /** Resolves when somebody asked for the end, here or through `mesh down`. */
  readonly stopRequested: Promise<void>;
  /** Services first, then what they stand on. */
  stop(): Promise<void>;
}

interface Process {
  status: ProcessStatus;
  child: Child;
}

/** Brings up the servers, the services on them, and keeps the services up. */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { settings, folder, log } = options;
  const lifecycle = createLifecycle(log);
  const stopRequested = Promise.withResolvers<void>();
  const processes: Process[] = [];
  const known: { environment: Environment } = { environment: {} };
  const startedAt = systemClock.now();
  const status = (): SupervisorStatus => ({
    pid: process.pid,
    version: VERSION,
    topology: settings.values.MESH_TOPOLOGY,
    startedAt,
    consulUrl: known.environment['CONSUL_HTTP_ADDR'] ?? settings.values.CONSUL_HTTP_ADDR,
    jaegerUrl: known.environment['MESH_JAEGER_URL'] ?? '',
    otlpEndpoint: known.environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? settings.values.OTEL_EXPORTER_OTLP_ENDPOINT,
    processes: processes.map((entry) => entry.status),
  });
  try {
    const door = await openControlSocket(folder.controlSocket, { status, stop: stopRequested.resolve });
    lifecycle.onStop('control socket', () => door.stop());
    const groups = settings.values.MESH_TOPOLOGY === 'monolith' ? [MODULE_NAMES] : MODULE_NAMES.map((name) => [name]);
    // The services' processes load their code while Postgres comes up.
    const spawned = groups.map((services) => spawn(services, options));
    processes.push(...spawned);
    const stopping = new AbortController();
    const standIns = createLifecycle(log);
    lifecycle.onStop('stand-ins', standIns.stop);
    lifecycle.onStop('services', () => stopProcesses(processes, stopping));
    const backends = startBackends({ ...options, lifecycle: standIns });
    const services = await Promise.all(spawned.map((entry) => begin(entry, backends, options.report)));
    for (const entry of spawned) void keepUp(entry, options, backends, stopping.signal);
    known.environment = await environmentOf(backends, MODULE_NAMES);
    return { services: services.flat(), environment: known.environment, stopRequested: stopRequested.promise, stop: lifecycle.stop };
  } catch (thrown) {
    await lifecycle.stop();
    throw thrown;
  }
}

function spawn(services: readonly ModuleName[], { settings, folder, environment, launcher }: SupervisorOptions): Process {
  const name = services.length === 1 ? (services[0] as ModuleName) : 'monolith';
  const stopTimeoutMs = settings.values.MESH_STOP_TIMEOUT;
  const child = spawnChild({ name, services, logFolder: folder.logs, stopTimeoutMs, environment, ...(launcher !== undefined && { launcher }) });
  return { child, status: { name, pid: child.pid, state: 'starting', services, startedAt: systemClock.now() } };
}

async function begin(entry: Process, backends: Backends, report: SupervisorOptions['report']): Promise<readonly Served[]> {
  const served = await entry.child.start(await environmentOf(backends, entry.status.services));
  entry.status = { ...entry.status, state: 'ready' };
  for (const { name, address, port } of served) report(name, `${address}:${port}`);
  return served;
}

/** Only payment has to wait for the card simulator. */
async function environmentOf(backends: Backends, services: readonly ModuleName[]): Promise<Environment> {
  const needed = [backends.consul, backends.traces, backends.databases, ...(services.includes('payment') ? [backends.cards] : [])];
  return Object.assign({}, ...(await Promise.all(needed)));
}

/** Starts a process again when it ends by itself, after about 0.5, 1, 2 … 30 s. */
async function keepUp(entry: Process, options: SupervisorOptions, backends: Backends, stopping: AbortSignal): Promise<void> {
  let attempt = 0;
  while (!stopping.aborted) {
    await entry.child.exited;
    if (stopping.aborted) return;
    attempt += 1;
    entry.status = { ...entry.status, pid: undefined, state: 'restarting' };
    const waitMs = backoffMs(attempt, 500, 30_000, systemRandom);
    options.report(entry.status.name, `ended; starting it again in ${(waitMs / 1_000).toFixed(1)} s`);
    await systemClock.sleep(waitMs, stopping).catch(() => {});
    if (stopping.aborted) return;
    const next = spawn(entry.status.services, options);
    entry.child = next.child;
    entry.status = next.status;
    try {
      await begin(entry, backends, options.report);
      attempt = 0;
    } catch (err) {
      options.log.error({ err, process: entry.status.name }, 'could not start');
    }
  }
}

async function stopProcesses(processes: readonly Process[], stopping: AbortController): Promise<void> {
  stopping.abort();
  await Promise.all(
    processes.map((entry) => {
      entry.status = { ...entry.status, state: 'stopping' };
      return entry.child.stop();
    }),
  );
}

