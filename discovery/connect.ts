import type { ConsulControlPlane, ConsulOptions } from './consul/control-plane.ts';

/**
 * The control plane on the Consul at `options.address`, after it has answered.
 * Throws CONTROL_PLANE_UNAVAILABLE with what to do when none does. Loads the
 * adapter only now: a program that uses another control plane does not pay for it.
 */
export async function connectConsul(options: ConsulOptions, signal?: AbortSignal): Promise<ConsulControlPlane> {
  const { createConsulControlPlane } = await import('./consul/control-plane.ts');
  const controlPlane = createConsulControlPlane(options);
  try {
    await controlPlane.verify(signal);
    return controlPlane;
  } catch (thrown) {
    await controlPlane.stop();
    throw thrown;
  }
}
