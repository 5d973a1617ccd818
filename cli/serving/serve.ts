import { type ControlPlane, newInstanceId } from '#discovery';
import { createLifecycle, type Lifecycle, type Log, type Stoppable, systemClock, systemRandom } from '#kit';
import { createLivePolicies, createMesh, type LivePolicies, warmUpValidation } from '#mesh';
import { loadModule, type ModuleName } from '#modules';
import type { ServiceModule } from '#service-module';
import type { Tracing } from '#tracing';

import type { Resolved } from '../settings.ts';
import { VERSION } from '../version.ts';
import { buildService, type Surroundings } from './build-service.ts';
import { channelsThrough, connectControlPlane } from './control-plane.ts';
import { openProcessBus } from './event-bus.ts';
import { listenOnOwnPort, resolveAddress } from './own-port.ts';
import type { ProcessHooks } from './process-hooks.ts';
import { startProcessTracing } from './tracing.ts';
import { addWayDown } from './way-down.ts';

export type { ProcessHooks } from './process-hooks.ts';

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
interface Shared extends Surroundings {
  readonly log: Log;
  readonly address: string;
  readonly tracing: Tracing;
  readonly controlPlane: ControlPlane;
  /** Cuts the waits of the way down short. */
  readonly hurry: (() => void)[];
}

/** Runs these services in this process, against the Consul and the databases that the settings name. */
export async function serve(names: readonly ModuleName[], settings: Resolved, log: Log, hooks: ProcessHooks = {}): Promise<ServingProcess> {
  const lifecycle = createLifecycle(log);
  try {
    const shared = await share(names, settings, hooks, log, lifecycle);
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

async function share(names: readonly ModuleName[], settings: Resolved, hooks: ProcessHooks, log: Log, lifecycle: Lifecycle): Promise<Shared> {
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
  const events = await openProcessBus(await Promise.all(names.map(loadModule)), settings, log);
  lifecycle.onStop('event bus', () => events.bus.stop());
  const wayDown = addWayDown(lifecycle);
  wayDown.relays.onStop('publishing', events.leave);
  return { settings, hooks, log, address, tracing, controlPlane, mesh, events, wayDown, hurry: [] };
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
  const { built, idempotency, check, start } = await buildService(name, module, { tracer, log }, shared);
  const further = built.operations ? [built.operations] : [];
  for (const { contract } of [module, ...further]) contract.methods.forEach(warmUpValidation);
  const instance = { id, version: VERSION };
  const hosted = mesh.host({ contract: module.contract, handlers: built.handlers, further, instance, idempotency, tracer, log, check });
  const listening = await listenOnOwnPort(name, hosted.listen, shared);
  wayDown.servers.onStop(`${name} server`, listening.stop);
  wayDown.noticed.onStop(`${name} is noticed to leave`, listening.untilQuiet);
  shared.hurry.push(listening.hurry);
  const registration = await register(name, id, module, listening.port, shared);
  wayDown.registrations.onStop(`${name} registration`, registration.stop);
  wayDown.health.onStop(`${name} health`, listening.drain);
  start();
  log.info({ port: listening.port, contract: module.contract.typeName }, 'serving');
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
