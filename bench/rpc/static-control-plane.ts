import type { ControlPlane, Instance, InstanceListener } from '#discovery';

/** A control plane of which nobody can ask anything but who is there, and who says so at once. */
export interface StaticControlPlane extends ControlPlane {
  /** Replaces the instances of a service and tells whoever watches it. */
  setInstances(service: string, instances: readonly Instance[]): void;
}

export function createStaticControlPlane(): StaticControlPlane {
  const services = new Map<string, { instances: readonly Instance[]; readonly listeners: Set<InstanceListener> }>();
  const find = (service: string) => {
    let found = services.get(service);
    if (!found) services.set(service, (found = { instances: [], listeners: new Set() }));
    return found;
  };
  return {
    setInstances(service, instances) {
      const found = find(service);
      found.instances = instances;
      for (const listener of found.listeners) listener.onInstances(instances);
    },
    watchInstances(service, listener) {
      const found = find(service);
      found.listeners.add(listener);
      queueMicrotask(() => listener.onInstances(found.instances));
      return { stop: async () => void found.listeners.delete(listener) };
    },
    listInstances: async () => [...services.values()].flatMap(({ instances }) => instances.map((instance) => ({ ...instance, healthy: true }))),
    register: async () => ({ stop: async () => {} }),
    certificates: { identity: () => Promise.reject(new Error('there are none here')), counts: () => ({ renewals: 0, failures: 0, expired: 0 }) },
    policies: {
      get: async () => undefined,
      put: async () => false,
      delete: async () => true,
      watch(_prefix, listener) {
        queueMicrotask(() => listener.onPolicies([]));
        return { stop: async () => {} };
      },
    },
    intentions: {
      watch(_destination, listener) {
        queueMicrotask(() => listener.onIntentions([]));
        return { stop: async () => {} };
      },
      list: async () => [],
      set: async () => false,
      delete: async () => true,
      defaultAction: async () => undefined,
    },
    stop: async () => {},
  };
}

/** An instance as the registry describes it. */
export function instanceAt(service: string, address: string, port: number): Instance {
  return { id: `${service}-${address}-${port}`, service, address, port, version: 'bench', zone: '', weight: 1, metadata: {} };
}
