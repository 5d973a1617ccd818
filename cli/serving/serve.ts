import { type ControlPlane, newInstanceId } from '#discovery';
import { createLifecycle, type Lifecycle, type Log, type Stoppable, systemClock, systemRandom } from '#kit';
import { createLivePolicies, type IntentionGuard, type LivePolicies, warmUpValidation } from '#mesh';
import { loadModule, type ModuleName } from '#modules';
import type { ServiceModule } from '#service-module';
import type { Tracing } from '#tracing';

import type { Resolved } from '../settings.ts';
import { VERSION } from '../version.ts';
import { buildService, type Surroundings } from './build-service.ts';
import { connectControlPlane } from './control-plane.ts';
import { type Doors, openDoors, requireLocal } from './doors.ts';
import { openProcessBus } from './event-bus.ts';
import { openGuard, untilGuarded } from './guard.ts';
import { createIdentities, type Identities } from './identities.ts';
import { openMesh } from './open-mesh.ts';
import { resolveAddress } from './own-port.ts';
import type { ProcessHooks } from './process-hooks.ts';
import { startProcessTracing } from './tracing.ts';
import { migrateTables, type Migrator } from './tables.ts';
import { addWayDown } from './way-down.ts';

export type { ProcessHooks } from './process-hooks.ts';

/** A service that serves. */
export interface Served {
  readonly name: ModuleName;
  readonly id: string;
  readonly address: string;
  /** What people type: the explorer's port where there is one. */
  readonly port: number;
  /** What siblings call. */
  readonly mtlsPort: number;
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
  readonly identities: Identities;
  readonly guard: IntentionGuard;
  /** Cuts the waits of the way down short. */
  readonly hurry: (() => void)[];
}

/**
 * Runs these services in this process, against the Consul and the databases that the settings name.
 *
 * @param migrator how old tables are brought up to date, where MESH_MIGRATE is on; default: by this process
 */
export async function serve(
  names: readonly ModuleName[],
  settings: Resolved,
  log: Log,
  hooks: ProcessHooks = {},
  migrator: Migrator = migrateTables,
): Promise<ServingProcess> {
  const lifecycle = createLifecycle(log);
  try {
    const shared = await share(names, { settings, hooks, migrator }, log, lifecycle);
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

type Given = Pick<Surroundings, 'settings' | 'hooks' | 'migrator'>;

async function share(names: readonly ModuleName[], { settings, hooks, migrator }: Given, log: Log, lifecycle: Lifecycle): Promise<Shared> {
  const address = await resolveAddress(settings.values.MESH_ADVERTISE);
  requireLocal(settings, address);
  const tracing = await startProcessTracing(settings, log);
  lifecycle.onStop('tracing', tracing.stop);
  const controlPlane = await connectControlPlane(settings, log);
  lifecycle.onStop('control plane', () => controlPlane.stop());
  const policies = openPolicies(settings, controlPlane, log);
  lifecycle.onStop('policies', policies.stop);
  await policies.ready;
  const identities = createIdentities(controlPlane.certificates);
  lifecycle.onStop('identities', identities.stop);
  const guard = openGuard(settings, controlPlane, log);
  lifecycle.onStop('intentions', guard.stop);
  const mesh = openMesh(names, { settings, hooks, log, tracing, controlPlane, identities, guard, policies }, lifecycle);
  const events = await openProcessBus(await Promise.all(names.map(loadModule)), settings, log, migrator);
  lifecycle.onStop('event bus', () => events.bus.stop());
  const wayDown = addWayDown(lifecycle);
  wayDown.relays.onStop('publishing', events.leave);
  return { settings, hooks, migrator, log, address, tracing, controlPlane, identities, guard, mesh, events, wayDown, hurry: [] };
}

/** What operators want of this process's calls. */
function openPolicies({ values }: Resolved, { policies }: ControlPlane, log: Log): LivePolicies {
  return createLivePolicies({ store: policies, settings: values.MESH_POLICY, faultsAllowed: values.MESH_FAULTS, clock: systemClock, log });
}

async function serveOne(name: ModuleName, shared: Shared): Promise<Served> {
  const { settings, wayDown, mesh, tracing, address, identities, guard } = shared;
  const module = await loadModule(name);
  // The id is made before the port is known: a free one (0) is told apart by the nonce.
  const id = newInstanceId(name, address, settings.ports[name], systemRandom);
  const log = shared.log.child({ service: name, instance: id });
  const tracer = tracing.tracer({ service: name, version: VERSION, instanceId: id });
  // Beside the work on the database, as each waits for another server.
  const secured = Promise.all([identities.open(name), untilGuarded(guard, name, systemClock)]);
  // What fails first is told.
  secured.catch(() => undefined);
  const { built, idempotency, check, start } = await buildService(name, module, { tracer, log }, shared);
  const further = built.operations ? [built.operations] : [];
  for (const { contract } of [module, ...further]) contract.methods.forEach(warmUpValidation);
  const instance = { id, version: VERSION };
  const hosted = mesh.host({ contract: module.contract, handlers: built.handlers, further, instance, idempotency, tracer, log, check });
  const [identity] = await secured;
  const doors = await openDoors(name, hosted, identity, shared);
  const registration = await register(name, id, module, doors, shared);
  wayDown.registrations.onStop(`${name} registration`, registration.stop);
  wayDown.health.onStop(`${name} health`, doors.drain);
  start();
  const { port, mtlsPort } = doors;
  log.info({ port, mtlsPort, contract: module.contract.typeName }, 'serving');
  return { name, id, address, port, mtlsPort };
}

function register(name: ModuleName, id: string, { contract }: ServiceModule, { mtlsPort, metadata }: Doors, { settings, controlPlane, address }: Shared): Promise<Stoppable> {
  return controlPlane.register({
    service: name,
    id,
    address,
    port: mtlsPort,
    version: VERSION,
    zone: settings.values.MESH_ZONE,
    metadata: { protocol: 'grpc', ...metadata },
    healthService: contract.typeName,
    tls: true,
  });
}
