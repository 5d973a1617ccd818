import { lookup } from 'node:dns/promises';

import type { Tracer } from '@opentelemetry/api';

import type { DatabaseHooks } from '#database';
import { type ControlPlane, newInstanceId } from '#discovery';
import { createLifecycle, type Lifecycle, type Log, MeshError, refusal, type Stoppable, systemClock, systemRandom } from '#kit';
import {
  type ClientInterceptor,
  createLivePolicies,
  createMesh,
  type Listening,
  type LivePolicies,
  type Mesh,
  type ServerInterceptor,
  warmUpValidation,
} from '#mesh';
import { loadModule, type ModuleName } from '#modules';
import type { SagaHooks } from '#saga';
import type { BuiltService, ServiceModule } from '#service-module';
import type { Tracing } from '#tracing';

import { portSetting, type Resolved } from '../settings.ts';
import { VERSION } from '../version.ts';
import { channelsThrough, connectControlPlane } from './control-plane.ts';
import { isAt } from './is-at.ts';
import { openServiceDatabase } from './service-database.ts';
import { startProcessTracing } from './tracing.ts';
import { addWayDown, type WayDown } from './way-down.ts';

/** Points at which tests may stop, fail or kill the process. Empty in a shop. */
export interface ProcessHooks {
  readonly database?: DatabaseHooks;
  readonly saga?: SagaHooks;
  readonly client?: readonly ClientInterceptor[];
  readonly server?: readonly ServerInterceptor[];
}

/** A service that serves. */
export interface Served {
  readonly name: ModuleName;
  readonly id: string;
  readonly address: string;
  readonly port: number;
}

export interface ServingProcess {
  readonly services: readonly Served[];
  /** NOT_SERVING, out of the registry, callers have noticed, calls in flight finished, everything closed. */
  stop(): Promise<void>;
  /** Cuts the waits of `stop` short. */
  hurry(): void;
}

/** What all services of one process share. */
interface Shared {
  readonly settings: Resolved;
  readonly hooks: ProcessHooks;
  readonly log: Log;
  readonly address: string;
  readonly tracing: Tracing;
  readonly controlPlane: ControlPlane;
  readonly mesh: Mesh;
  readonly wayDown: WayDown;
  /** Cuts the waits of the way down short. */
  readonly hurry: (() => void)[];
}

/** Runs these services in this process, against the Consul and the databases that the settings name. */
export async function serve(names: readonly ModuleName[], settings: Resolved, log: Log, hooks: ProcessHooks = {}): Promise<ServingProcess> {
  const lifecycle = createLifecycle(log);
  try {
    const shared = await share(settings, hooks, log, lifecycle);
    // Side by side: what a start waits for is mostly the disk and the other servers.
    const started = await Promise.allSettled(names.map((name) => serveOne(name, shared)));
    const services = started.map((outcome) => {
      // Not before all are through: what is still starting would be left behind by the stop.
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
    return { services, stop: lifecycle.stop, hurry: () => shared.hurry.forEach((hurry) => hurry()) };
  } catch (thrown) {
    await lifecycle.stop();
    throw thrown;
  }
}

async function share(settings: Resolved, hooks: ProcessHooks, log: Log, lifecycle: Lifecycle): Promise<Shared> {
  const tracing = await startProcessTracing(settings, log);
  lifecycle.onStop('tracing', tracing.stop);
  const controlPlane = await connectControlPlane(settings, log);
  lifecycle.onStop('control plane', () => controlPlane.stop());
  const { MESH_ZONE: zone, MESH_LOCAL_CALLS: localCalls } = settings.values;
  const policies = openPolicies(settings, controlPlane, log);
  lifecycle.onStop('policies', policies.stop);
  await policies.ready;
  const mesh = createMesh({
    ...{ clock: systemClock, random: systemRandom, log, zone, localCalls, policies, faults: policies },
    openChannel: channelsThrough(controlPlane),
    interceptors: { client: hooks.client ?? [], server: hooks.server ?? [] },
  });
  lifecycle.onStop('channels', mesh.stop);
  const address = await resolveAddress(settings.values.MESH_ADVERTISE);
  return { settings, hooks, log, address, tracing, controlPlane, mesh, wayDown: addWayDown(lifecycle), hurry: [] };
}

/** What operators want of this process's calls. */
function openPolicies({ values }: Resolved, { policies }: ControlPlane, log: Log): LivePolicies {
  return createLivePolicies({ store: policies, settings: values.MESH_POLICY, faultsAllowed: values.MESH_FAULTS, clock: systemClock, log });
}

async function serveOne(name: ModuleName, shared: Shared): Promise<Served> {
  const { settings, wayDown, mesh, tracing, address } = shared;
  const module = await loadModule(name);
  // The id is made before the port is known: a free one (0) is told apart by the nonce.
  const id = newInstanceId(name, address, settings.ports[name], systemRandom);
  const log = shared.log.child({ service: name, instance: id });
  const tracer = tracing.tracer({ service: name, version: VERSION, instanceId: id });
  const { built, check } = await build(name, module, tracer, log, shared);
  const further = built.operations ? [built.operations] : [];
  for (const { contract } of [module, ...further]) contract.methods.forEach(warmUpValidation);
  const instance = { id, version: VERSION };
  const hosted = mesh.host({ contract: module.contract, handlers: built.handlers, further, instance, tracer, log, check });
  const listening = await listen(name, hosted.listen, shared);
  wayDown.servers.onStop(`${name} server`, listening.stop);
  wayDown.noticed.onStop(`${name} is noticed to leave`, listening.untilQuiet);
  shared.hurry.push(listening.hurry);
  const registration = await register(name, id, module, listening.port, shared);
  wayDown.registrations.onStop(`${name} registration`, registration.stop);
  wayDown.health.onStop(`${name} health`, listening.drain);
  begin(module, built, log, listening.port);
  return { name, id, address, port: listening.port };
}

/** The service on its database, with the stubs it asked for. `check` rejects while it cannot work. */
async function build(
  name: ModuleName,
  module: ServiceModule,
  tracer: Tracer,
  log: Log,
  { settings, hooks, wayDown, mesh }: Shared,
): Promise<{ readonly built: BuiltService<ServiceModule['contract']>; readonly check: () => Promise<void> }> {
  const database = await openServiceDatabase(name, module, { settings, tracer, log, hooks: hooks.database ?? {} });
  wayDown.databases.onStop(`${name} database`, () => database.stop());
  const clients = Object.fromEntries(Object.entries(module.dependencies).map(([key, contract]) => [key, mesh.client(contract, { tracer })]));
  const ours = { clock: systemClock, random: systemRandom, log, tracer };
  const built = module.build({ clients, database, settings: settings.values, ...ours, sagaHooks: hooks.saga ?? {} });
  wayDown.work.onStop(`${name} work`, () => built.stop?.());
  return { built, check: database.ping };
}

function register(name: ModuleName, id: string, { contract }: ServiceModule, port: number, { settings, controlPlane, address }: Shared): Promise<Stoppable> {
  return controlPlane.register({
    service: name,
    id,
    address,
    port,
    version: VERSION,
    zone: settings.values.MESH_ZONE,
    metadata: { protocol: 'grpc' },
    healthService: contract.typeName,
  });
}

function begin(module: ServiceModule, built: BuiltService<ServiceModule['contract']>, log: Log, port: number): void {
  built.start?.();
  log.info({ port, contract: module.contract.typeName }, 'serving');
}

/**
 * The service's own port. A further instance of a service takes a free one by itself; a
 * port that something else holds is refused with the setting that moves it.
 */
async function listen(name: ModuleName, open: (address: string, port: number) => Promise<Listening>, shared: Shared): Promise<Listening> {
  const { settings, controlPlane, address } = shared;
  const port = settings.ports[name];
  try {
    return await open(address, port);
  } catch (thrown) {
    const error = MeshError.from(thrown);
    if (error.reason !== 'PORT_IN_USE') throw thrown;
    const instances = await controlPlane.listInstances();
    const replica = instances.some((other) => other.healthy && isAt(other, name, address, port));
    if (replica && settings.origins[portSetting(name)] !== 'flag') return open(address, 0);
    throw refusal('PORT_IN_USE', `${error.message}; ${name} needs it: end what holds it, or set ${portSetting(name)} to another port (0 takes a free one)`, {
      metadata: error.metadata,
      cause: thrown,
    });
  }
}

/** Consul's instances are called by IP address, so a host name is looked up here, once. */
async function resolveAddress(advertise: string): Promise<string> {
  try {
    return (await lookup(advertise)).address;
  } catch (cause) {
    throw refusal('INVALID_SETTING', `MESH_ADVERTISE is ${advertise}, which is neither an IP address nor a host name that can be looked up`, { cause });
  }
}
