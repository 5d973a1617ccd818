import type { ControlPlane } from '#discovery';
import { type Clock, type Log, refusal, systemClock } from '#kit';
import { type Authorization, createIntentionGuard, type IntentionGuard, type MeshOptions } from '#mesh';

import type { Resolved } from '../settings.ts';

/** Who may call the services of a process, as the settings and the control plane say. */
export function openGuard({ values }: Resolved, { intentions }: ControlPlane, log: Log): IntentionGuard {
  const { MESH_INTENTIONS_DEFAULT: defaultAction, MESH_MTLS: mtls } = values;
  if (mtls === 'permissive') log.warn('MESH_MTLS is permissive: callers without a certificate are let in, also in plaintext; `mesh intentions report` tells of them');
  return createIntentionGuard({ intentions, defaultAction, permissive: mtls === 'permissive', clock: systemClock, log });
}

/** What each call to the services of a process passes, outermost first: which service may call, and then which person. */
export function guardsOf(guard: IntentionGuard, authorization: Authorization): Pick<MeshOptions, 'guards' | 'guarded' | 'outgoing'> {
  return {
    guards: (method, service) => [guard.link(method, service), authorization.link(method)],
    guarded: guard.read,
    outgoing: [authorization.forward],
  };
}

/** As long as for the first certificate: what Consul says, it says within milliseconds. */
const PATIENCE_MS = 10_000;

/**
 * Resolves when it is known who may call a service. CONTROL_PLANE_UNAVAILABLE when that takes longer than 10 s, as where
 * the token may not read it: a service that nobody can call must not look as if it had started.
 */
export async function untilGuarded({ ready }: Pick<IntentionGuard, 'ready'>, service: string, clock: Clock): Promise<void> {
  const over = new AbortController();
  const isLate = clock.sleep(PATIENCE_MS, over.signal).then(
    () => true,
    () => false,
  );
  const late = await Promise.race([ready(service), isLate]);
  over.abort();
  if (late !== true) return;
  throw refusal('CONTROL_PLANE_UNAVAILABLE', `Consul has not said for ${PATIENCE_MS / 1_000} s who may call ${service}; see the log above, and give its token service:write for ${service}`);
}
