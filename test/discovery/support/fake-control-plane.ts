import type { ControlPlane, Instance, InstanceListener } from '#discovery';
import { refusal } from '#kit';

/** A control plane whose answers the test pushes. It calls back at once, which the real one never does. */
export function fakeControlPlane() {
  const listeners = new Set<InstanceListener>();
  let latest: readonly Instance[] | undefined;
  let watches = 0;
  const plane = {
    watchInstances: (_: string, listener: InstanceListener) => {
      watches += 1;
      listeners.add(listener);
      if (latest) listener.onInstances(latest);
      return { stop: async () => void listeners.delete(listener) };
    },
  };
  return {
    // The resolver uses nothing else of it.
    controlPlane: plane as unknown as ControlPlane,
    set: (...instances: readonly Instance[]) => {
      latest = instances;
      for (const listener of listeners) listener.onInstances(instances);
    },
    fail: () => {
      for (const listener of listeners) listener.onError(refusal('CONTROL_PLANE_UNAVAILABLE', 'Consul is gone'));
    },
    watches: () => watches,
    listening: () => listeners.size,
  };
}
