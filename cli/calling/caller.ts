import { createLog, type Lifecycle, createLifecycle, newId, systemClock, systemRandom } from '#kit';
import { createMesh, type Mesh } from '#mesh';
import type { ControlPlane } from '#discovery';
import type { Tracer } from '@opentelemetry/api';
import type { Tracing } from '#tracing';

import { channelsThrough, connectControlPlane } from '../serving/control-plane.ts';
import { createIdentities } from '../serving/identities.ts';
import { startProcessTracing } from '../serving/tracing.ts';
import type { Resolved } from '../settings.ts';
import { VERSION } from '../version.ts';
import { OPERATOR } from '../caller-names.ts';

/** This program as a caller of the shop's services: found through the registry, over mTLS, with spans of its own. */
export interface Caller {
  readonly controlPlane: ControlPlane;
  readonly mesh: Mesh;
  readonly tracing: Tracing;
  readonly tracer: Tracer;
  /** As whom it calls. */
  readonly service: string;
  stop(): Promise<void>;
}

export interface CallerOptions {
  /** Default: true. What only looks leaves none, neither here nor in the services it asks. */
  readonly leavesTrace?: boolean;
}

/** CONTROL_PLANE_UNAVAILABLE when there is no registry to ask, or no certificate to have from it. */
export async function createCaller(settings: Resolved, options: CallerOptions = {}): Promise<Caller> {
  const lifecycle = createLifecycle(createLog({ level: 'error' }));
  try {
    return { ...(await open(settings, options, lifecycle)), stop: lifecycle.stop };
  } catch (thrown) {
    await lifecycle.stop();
    throw thrown;
  }
}

async function open(settings: Resolved, { leavesTrace = true }: CallerOptions, { onStop }: Lifecycle): Promise<Omit<Caller, 'stop'>> {
  const log = createLog({ level: 'error' });
  const controlPlane = await connectControlPlane(settings, log);
  onStop('control plane', () => controlPlane.stop());
  const identities = createIdentities(controlPlane.certificates);
  onStop('identity', identities.stop);
  const identity = identities.open(OPERATOR);
  const tracing = await startProcessTracing(leavesTrace ? settings : unrecorded(settings), log);
  onStop('tracing', tracing.stop);
  await identity;
  const mesh = createMesh({ clock: systemClock, log, openChannel: channelsThrough(controlPlane, identities) });
  onStop('channels', mesh.stop);
  const tracer = tracing.tracer({ service: 'mesh-cli', version: VERSION, instanceId: newId(systemClock, systemRandom) });
  return { controlPlane, mesh, tracing, tracer, service: OPERATOR };
}

/** Its spans say to whom they call that they are not recorded. Calls without a span would begin traces there. */
function unrecorded(settings: Resolved): Resolved {
  return { ...settings, values: { ...settings.values, MESH_TRACE_PERCENT: 0 } };
}
