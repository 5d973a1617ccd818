import { trace, type Tracer } from '@opentelemetry/api';

import { connectConsul, type ControlPlane, type ServiceIdentity } from '#discovery';
import { type Lifecycle, silentLog, systemClock } from '#kit';
import { type ClientInterceptor, createLivePolicies, createMesh, type Mesh } from '#mesh';

import { channelsThrough } from '../../../cli/serving/control-plane.ts';
import { createIdentities } from '../../../cli/serving/identities.ts';
import { seededRandom } from '../../kit/support.ts';
import { forgetHints } from './forget-hints.ts';
import type { ChurnSettings, LoadSettings, NodeSettings } from './messages.ts';
import { naiveCalls } from './naive-calls.ts';

/** A process's part in the mesh, composed as `mesh serve` composes it. */
export interface Joined {
  /** As which it calls. */
  readonly identity: ServiceIdentity;
  readonly controlPlane: ControlPlane;
  readonly mesh: Mesh;
  /** One more, which is its opener's to stop. */
  openMesh(...client: readonly ClientInterceptor[]): Mesh;
  readonly tracer: Tracer;
}

/** As whom those call that serve nothing. */
export const CALLER = 'test';

/** As the named service. */
export async function join(service: string, { consul, policy, seed, zone, heedsHints, naive }: NodeSettings | LoadSettings | ChurnSettings, lifecycle: Lifecycle, emptyHoldMs?: number): Promise<Joined> {
  const random = seededRandom(seed);
  const clock = systemClock;
  const log = silentLog;
  const controlPlane = await connectConsul({ ...{ address: consul, zone, clock, random, log }, ...(emptyHoldMs !== undefined && { emptyHoldMs }) });
  lifecycle.onStop('control plane', () => controlPlane.stop());
  const policies = createLivePolicies({ store: controlPlane.policies, settings: policy, faultsAllowed: false, clock, log });
  lifecycle.onStop('policies', policies.stop);
  const identities = createIdentities(controlPlane.certificates);
  lifecycle.onStop('identity', identities.stop);
  const identity = await identities.open(service);
  const openMesh = (...client: readonly ClientInterceptor[]): Mesh =>
    createMesh({ ...{ clock, random, log, zone, policies, faults: policies }, openChannel: channelsThrough(controlPlane, identities), interceptors: { client } });
  const mesh = openMesh(...(heedsHints ? [] : [forgetHints]), ...(naive ? [naiveCalls] : []));
  lifecycle.onStop('channels', mesh.stop);
  return { identity, controlPlane, mesh, openMesh, tracer: trace.getTracer('chaos') };
}
