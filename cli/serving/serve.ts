import { lookup } from 'node:dns/promises';

import type { DatabaseHooks } from '#database';
import { type ControlPlane, type Instance, newInstanceId } from '#discovery';
import { createLifecycle, type Lifecycle, type Log, MeshError, refusal, type Stoppable, systemClock, systemRandom } from '#kit';
import { type ClientInterceptor, createMesh, type Listening, type Mesh, type ServerInterceptor, warmUpValidation } from '#mesh';
import { loadModule, type ModuleName } from '#modules';
import type { SagaHooks } from '#saga';
import type { BuiltService, ServiceModule } from '#service-module';
import type { Tracing } from '#tracing';

import { portSetting, type Resolved } from '../settings.ts';
import { VERSION } from '../version.ts';
import { connectControlPlane, openChannel } from './control-plane.ts';
import { openServiceDatabase } from './service-database.ts';
import { startProcessTracing } from './tracing.ts';

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
  /** NOT_SERVING, out of the registry, calls in flight finished, everything closed. */
  stop(): Promise<void>;
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
  readonly lifecycle: Lifecycle;
}

/** Runs these services in this process, against the Consul and the databases that the settings name. */
export async function serve(names: readonly ModuleName[], settings: Resolved, log: Log, hooks: ProcessHooks = {}): Promise<ServingProcess> {
  const lifecycle = createLifecycle(log);
  try {
    const shared = await share(settings, hooks, log, lifecycle);
    // Side by side: what a start waits for is mostly the disk and the other servers.
    const services = await Promise.all(names.map((name) => serveOne(name, shared)));
    return { services, stop: lifecycle.stop };
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
  const mesh = createMesh({
    clock: systemClock,
    log,
    openChannel: (service) => openChannel(controlPlane, service),
    interceptors: { client: hooks.client ?? [], server: hooks.server ?? [] },
  });
  lifecycle.onStop('channels', mesh.stop);
  const address = await resolveAddress(settings.values.MESH_ADVERTISE);
  return { settings, hooks, log, address, tracing, controlPlane, mesh, lifecycle };
}

async function serveOne(name: ModuleName, shared: Shared): Promise<Served> {
  const { settings, hooks, lifecycle, mesh, tracing, address } = shared;
  const log = shared.log.child({ service: name });
  const module = await loadModule(name);
  for (const method of module.contract.methods) warmUpValidation(method);
  // The id is made before the port is known: a free one (0) is told apart by the nonce.
  const id = newInstanceId(name, address, settings.ports[name], systemRandom);
  const tracer = tracing.tracer({ service: name, version: VERSION, instanceId: id });
  const database = await openServiceDatabase(name, module, { settings, tracer, log, hooks: hooks.database ?? {} });
  lifecycle.onStop(`${name} database`, () => database.stop());
  const clients = Object.fromEntries(Object.entries(module.dependencies).map(([key, contract]) => [key, mesh.client(contract, { tracer })]));
  const built = module.build({
    clients,
    database,
    settings: settings.values,
    clock: systemClock,
    random: systemRandom,
    log,
    tracer,
    sagaHooks: hooks.saga ?? {},
  });
  lifecycle.onStop(`${name} work`, () => built.stop?.());
  const hosted = mesh.host({ contract: module.contract, handlers: built.handlers, tracer, log, check: database.ping });
  await tracing.ready;
  const listening = await listen(name, hosted.listen, shared);
  lifecycle.onStop(`${name} server`, listening.stop);
  const registration = await register(name, id, module, listening.port, shared);
  lifecycle.onStop(`${name} registration`, registration.stop);
  lifecycle.onStop(`${name} health`, listening.drain);
  begin(module, built, log, listening.port);
  return { name, id, address, port: listening.port };
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

function isAt(instance: Instance, service: ModuleName, address: string, port: number): boolean {
  return instance.service === service && instance.address === address && instance.port === port;
}

/** Consul's instances are called by IP address, so a host name is looked up here, once. */
async function resolveAddress(advertise: string): Promise<string> {
  try {
    return (await lookup(advertise)).address;
  } catch (cause) {
    throw refusal('INVALID_SETTING', `MESH_ADVERTISE is ${advertise}, which is neither an IP address nor a host name that can be looked up`, { cause });
  }
}
