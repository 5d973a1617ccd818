import type { ConsulControlPlane, ServiceIdentity } from '#discovery';
import { silentLog, type Stoppable, systemClock } from '#kit';
import { createMesh, type Mesh } from '#mesh';

import { channelsThrough } from '../../../../cli/serving/control-plane.ts';
import { CALLED_SERVICES, type CalledService } from './called-services.ts';

/** A service of a shop, as a process composes it: its leaf from Consul, registered there, its channels by Consul's list. */
export interface RunningService extends Stoppable {
  readonly service: CalledService;
  readonly identity: ServiceIdentity;
  readonly port: number;
  readonly mesh: Mesh;
  /** Another one that calls as the service: it has no connections yet. */
  openMesh(): Mesh;
}

/** Each by the control plane that is its turn. */
export async function runServices(planes: readonly ConsulControlPlane[]): Promise<readonly RunningService[]> {
  const running: RunningService[] = [];
  for (const [position, service] of CALLED_SERVICES.entries()) {
    const plane = planes[position % planes.length];
    if (plane) running.push(await run(service, plane));
  }
  return running;
}

async function run(service: CalledService, plane: ConsulControlPlane): Promise<RunningService> {
  const { name, typeName } = service;
  const identity = await plane.certificates.identity(name);
  const openMesh = (): Mesh => createMesh({ clock: systemClock, log: silentLog, openChannel: channelsThrough(plane, { of: () => identity }) });
  const mesh = openMesh();
  const listening = await service.host(mesh).listen('127.0.0.1', 0, { kind: 'mtls', identity, permissive: false });
  const { port } = listening;
  const where = { address: '127.0.0.1', port, version: '1', zone: '', metadata: { protocol: 'grpc' } };
  const registration = await plane.register({ service: name, id: `${name}-1`, ...where, healthService: typeName, tls: true });
  return {
    ...{ service, identity, port, mesh, openMesh },
    async stop() {
      await registration.stop();
      await mesh.stop();
      listening.hurry();
      await listening.stop();
      await identity.stop();
    },
  };
}
