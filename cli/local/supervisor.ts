import { createLifecycle, type Lifecycle, type Log, type MeshError, refusal, systemClock, systemRandom } from '#kit';
import { MODULE_NAMES, type ModuleName } from '#modules';

import { isLoopback } from '../serving/loopback.ts';
import { resolveAddress } from '../serving/own-port.ts';
import type { Served } from '../serving/serve.ts';
import { databaseSetting, isGiven, portSetting, type Resolved } from '../settings.ts';
import { VERSION } from '../version.ts';
import { type Backends, startBackends } from './backends.ts';
import type { ScaleAnswer, ScaleRequest, SupervisorStatus } from './control-messages.ts';
import { openControlSocket } from './control-server.ts';
import type { DataFolder } from './data-folder.ts';
import { type Environment, shopEnvironment } from './environment.ts';
import { createFleet, type Fleet, type Slot } from './fleet.ts';
import { ManagedProcess } from './managed-process.ts';
import { ownSettings } from './own-settings.ts';
import { createRegistry, type Registry } from './registry.ts';
import { scaleAgain } from './scale-again.ts';
import { createTablesOwner, type TablesOwner } from './tables-owner.ts';

export interface SupervisorOptions {
  readonly settings: Resolved;
  readonly folder: DataFolder;
  readonly log: Log;
  readonly report: (name: string, what: string) => void;
  /** What the services' processes inherit, their settings among it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Program that runs `serve`; default: the `mesh` command. Tests put one here that composes their kill points. */
  readonly launcher?: string;
  /**
   * How long a process must have served for its next restart to count as a first one.
   * Default 10,000; 0 with a launcher of one's own, which ends its processes on purpose.
   */
  readonly steadyMs?: number;
  /** The demo data are to be there: makes their accounts, too, where only this machine reaches the services. Default: false. */
  readonly demo?: boolean;
  /** Ends a start that is under way, with CANCELLED, as `mesh down` does. */
  readonly signal?: AbortSignal;
}

/** A running shop. */
export interface Supervisor {
  readonly services: readonly Served[];
  /** The settings that lead to the servers it has brought, for whoever wants to call it. */
  readonly environment: Environment;
  /** Resolves when somebody asked for the end through `mesh down`. */
  readonly stopRequested: Promise<void>;
  /** As `mesh scale`; see {@link Fleet}. */
  scale(request: ScaleRequest): Promise<ScaleAnswer>;
  /** Services first, then what they stand on. */
  stop(): Promise<void>;
}

/** What the door tells about. */
interface Shop {
  readonly startedAt: number;
  /** Undefined until its first processes are started. */
  fleet: Fleet | undefined;
  /** What leads to the servers; undefined until the shop is up. */
  environment: Environment | undefined;
}

const STEADY_MS = 10_000;

/** Brings up the servers, the services on them, and keeps the services up. */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { settings, folder, log, signal } = options;
  const lifecycle = createLifecycle(log);
  const stopRequested = Promise.withResolvers<void>();
  const shop: Shop = { startedAt: systemClock.now(), fleet: undefined, environment: undefined };
  const scale = (request: ScaleRequest): Promise<ScaleAnswer> => scaleShop(shop, request);
  try {
    const door = await openControlSocket(folder.controlSocket, {
      status: () => statusOf(shop, settings),
      environment: () => shop.environment && shopEnvironment(settings, shop.environment),
      scale,
      stop: stopRequested.resolve,
    });
    lifecycle.onStop('control socket', () => door.stop());
    const { services, environment } = await Promise.race([bringUp(shop, options, lifecycle), halted(stopRequested.promise, signal)]);
    return { services, environment, stopRequested: stopRequested.promise, scale, stop: lifecycle.stop };
  } catch (thrown) {
    await lifecycle.stop();
    throw thrown;
  }
}

/** Everything that needs stopping is in the lifecycle before the first thing is waited for. */
async function bringUp(shop: Shop, options: SupervisorOptions, lifecycle: Lifecycle): Promise<{ services: readonly Served[]; environment: Environment }> {
  const { settings, log, report } = options;
  const standIns = createLifecycle(log);
  const backends = startBackends({ ...options, lifecycle: standIns });
  lifecycle.onStop('stand-ins', async () => {
    // One that is half up is stopped when it is up.
    await Promise.allSettled(Object.values(backends));
    await standIns.stop();
  });
  const registry = createRegistry(backends.consul, settings, log);
  const groups = settings.values.MESH_TOPOLOGY === 'monolith' ? [MODULE_NAMES] : MODULE_NAMES.map((name) => [name]);
  const tablesOwner = createTablesOwner({ settings, databases: backends.databases, log });
  // The services' processes load their code while Postgres comes up.
  const fleet = createFleet({ groups, report, start: (slot) => startProcess(slot, shop, options, { backends, registry, tablesOwner }) });
  shop.fleet = fleet;
  lifecycle.onStop('services', async () => {
    shop.environment = undefined;
    await fleet.stop();
  });
  const services = await fleet.begin();
  const environment = await environmentOf(backends, options, MODULE_NAMES);
  shop.environment = environment;
  return { services, environment };
}

/** What a process of the shop stands on. */
interface Grounds {
  readonly backends: Backends;
  readonly registry: Registry;
  readonly tablesOwner: TablesOwner;
}

function startProcess(slot: Slot, shop: Shop, options: SupervisorOptions, { backends, registry, tablesOwner }: Grounds): ManagedProcess {
  const { name, services, onFreePort } = slot;
  const { settings, folder, launcher, report, log, steadyMs = launcher === undefined ? STEADY_MS : 0 } = options;
  const environment = ownSettings(options.environment, services);
  const stopTimeoutMs = settings.values.MESH_STOP_TIMEOUT;
  const freePorts = Object.fromEntries(onFreePort ? services.map((service) => [portSetting(service), '0']) : []);
  return new ManagedProcess({
    child: { name, services, logFolder: folder.logs, stopTimeoutMs, environment, tablesOwner, ...(launcher !== undefined && { launcher }) },
    environment: async () => ({ ...ownSettings(await environmentOf(backends, options, services), services), ...freePorts }),
    forget: registry.forget,
    report,
    howToRetry: () => scaleAgain(services, (service) => shop.fleet?.count(service) ?? 1),
    steadyMs,
    clock: systemClock,
    random: systemRandom,
    log,
  });
}

function scaleShop({ fleet, environment }: Shop, request: ScaleRequest): Promise<ScaleAnswer> {
  if (!fleet || !environment) throw refusal('NOT_RUNNING', 'the shop is not up yet, or no longer; wait until `mesh up` says that it is');
  return fleet.scale(request);
}

/** Only payment has to wait for the card simulator. */
async function environmentOf(backends: Backends, options: SupervisorOptions, services: readonly ModuleName[]): Promise<Environment> {
  const needed = [localOf(options), backends.consul, backends.traces, backends.databases, backends.mail, ...(services.includes('payment') ? [backends.cards] : [])];
  return Object.assign({}, ...(await Promise.all(needed)));
}

/** Exploring is easy where only this machine can, and so is signing in, with tables that are of this folder; whoever has said whether it is to be is heard. */
async function localOf({ settings, demo = false }: SupervisorOptions): Promise<Environment> {
  const isLocal = isLoopback(await resolveAddress(settings.values.MESH_ADVERTISE));
  const isOurs = !isGiven('DATABASE_URL', settings) && !isGiven(databaseSetting('user'), settings);
  const wanted = { MESH_EXPLORER: String(isLocal), MESH_DEMO_ACCOUNTS: String(isLocal && demo && isOurs) };
  return Object.fromEntries(Object.entries(wanted).filter(([name]) => !isGiven(name, settings)));
}

/** Rejects when somebody wants the end. */
function halted(stopRequested: Promise<void>, signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const halt = (): void => reject(cancelled());
    if (signal?.aborted) halt();
    signal?.addEventListener('abort', halt, { once: true });
    void stopRequested.then(halt);
  });
}

function cancelled(): MeshError {
  return refusal('CANCELLED', 'the shop was told to stop before it was up');
}

function statusOf({ startedAt, fleet, environment }: Shop, { values }: Resolved): SupervisorStatus {
  return {
    pid: process.pid,
    version: VERSION,
    topology: values.MESH_TOPOLOGY,
    startedAt,
    consulUrl: environment?.['CONSUL_HTTP_ADDR'] ?? values.CONSUL_HTTP_ADDR,
    jaegerUrl: environment?.['MESH_JAEGER_URL'] ?? '',
    processes: (fleet?.processes() ?? []).map((entry) => entry.status()),
  };
}
