import { createLog, type Lifecycle, createLifecycle, newId, systemClock, systemRandom } from '#kit';
import { createMesh, type Mesh } from '#mesh';
import type { ControlPlane } from '#discovery';
import type { Tracer } from '@opentelemetry/api';
import type { Tracing } from '#tracing';

import { channelsThrough, connectControlPlane } from '../serving/control-plane.ts';
import { startProcessTracing } from '../serving/tracing.ts';
import type { Resolved } from '../settings.ts';
import { VERSION } from '../version.ts';

/** This program as a caller of the shop's services: found through the registry, with spans of its own. */
export interface Caller {
  readonly controlPlane: ControlPlane;
  readonly mesh: Mesh;
  readonly tracing: Tracing;
  readonly tracer: Tracer;
  stop(): Promise<void>;
}

export interface CallerOptions {
  /** Default: true. What only looks leaves none, neither here nor in the services it asks. */
  readonly leavesTrace?: boolean;
}

/** CONTROL_PLANE_UNAVAILABLE when there is no registry to ask. */
export async function createCaller(settings: Resolved, { leavesTrace = true }: CallerOptions = {}): Promise<Caller> {
  const log = createLog({ level: 'error' });
  const lifecycle: Lifecycle = createLifecycle(log);
  const controlPlane = await connectControlPlane(settings, log);
  lifecycle.onStop('control plane', () => controlPlane.stop());
  const tracing = await startProcessTracing(leavesTrace ? settings : unrecorded(settings), log);
  lifecycle.onStop('tracing', tracing.stop);
  const mesh = createMesh({ clock: systemClock, log, openChannel: channelsThrough(controlPlane) });
  lifecycle.onStop('channels', mesh.stop);
  const tracer = tracing.tracer({ service: 'mesh-cli', version: VERSION, instanceId: newId(systemClock, systemRandom) });
  return { controlPlane, mesh, tracing, tracer, stop: lifecycle.stop };
}

/** Its spans say to whom they call that they are not recorded. Calls without a span would begin traces there. */
function unrecorded(settings: Resolved): Resolved {
  return { ...settings, values: { ...settings.values, MESH_TRACE_PERCENT: 0 } };
}
