import { Channel, type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import type { Tracer } from '@opentelemetry/api';

import { discoveryChannelOptions } from '#discovery';
import { silentLog, systemClock } from '#kit';
import { createMesh, type Hosted, type Mesh, type MeshOptions, warmUpValidation } from '#mesh';
import { UserService } from '#proto/shop/user/v1/user_pb.js';
import { startTracing, type Tracing } from '#tracing';

import type { BenchClient, Peer, PeerOptions } from '../peers/peer.ts';
import { answerTo } from '../peers/user.ts';
import { policiesWithout } from './mechanisms.ts';
import { createStaticControlPlane, instanceAt, type StaticControlPlane } from './static-control-plane.ts';

/** Our runtime with everything on, as the shop composes it: instances from the control plane, every call traced and its spans sent. */
export const meshPeer: Peer = {
  async serve(options) {
    const { tracing, mesh } = await startRuntime(options);
    const { port } = await mesh.host(userService(tracing)).listen('127.0.0.1', 0);
    return { port, settle: tracing.flush };
  },
  async connect(port, options) {
    const { tracing, mesh, controlPlane } = await startRuntime(options);
    controlPlane.setInstances('user', [instanceAt('user', '127.0.0.1', port)]);
    return userClient(mesh, tracing);
  },
};

/** A process's mesh and what it stands on. */
export interface Runtime {
  readonly tracing: Tracing;
  readonly mesh: Mesh;
  readonly controlPlane: StaticControlPlane;
}

export async function startRuntime(
  { otlpEndpoint, sampleRatio, without, isMetered = false }: PeerOptions,
  changes: Pick<MeshOptions, 'guards'> = {},
  credentialsTo: (service: string) => ChannelCredentials = () => credentials.createInsecure(),
): Promise<Runtime> {
  const tracing = await startTracing({ exporter: 'otlp', otlpEndpoint, sampleRatio, log: silentLog });
  const controlPlane = createStaticControlPlane();
  const openChannel = (service: string, options: ChannelOptions) =>
    new Channel(`consul:///${service}`, credentialsTo(service), { ...discoveryChannelOptions(controlPlane), ...options });
  // Loaded only where it is used: nobody else is to carry it.
  const meter = isMetered ? { meter: (await import('./in-memory-meter.ts')).createInMemoryMeter() } : {};
  const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel, ...meter, ...policiesWithout(without), ...changes });
  return { tracing, mesh, controlPlane };
}

/** The user service with a handler that does nothing. */
export function userService(tracing: Tracing): Hosted<typeof UserService> {
  for (const method of UserService.methods) warmUpValidation(method);
  return {
    contract: UserService,
    handlers: {
      getUser: async (request) => answerTo(request),
      createUser: async () => ({}),
      listUsers: async () => ({}),
    },
    tracer: tracerOf(tracing, 'user'),
    log: silentLog,
    check: async () => {},
  };
}

export function userClient(mesh: Mesh, tracing: Tracing): BenchClient {
  const users = mesh.client(UserService, { service: '', tracer: tracerOf(tracing, 'order') });
  return { call: (request) => users.getUser(request), settle: tracing.flush };
}

export function tracerOf(tracing: Tracing, service: string): Tracer {
  return tracing.tracer({ service, version: 'bench', instanceId: 'bench' });
}
