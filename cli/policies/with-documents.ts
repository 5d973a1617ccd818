import type { ControlPlane, Policy, PolicyStore } from '#discovery';
import { createLog } from '#kit';
import { type DocumentKind, documentKey } from '#mesh';

import { connectControlPlane } from '../serving/control-plane.ts';
import type { Resolved } from '../settings.ts';

/** The documents that steer a running shop, and who keeps them. */
export interface Documents {
  readonly controlPlane: ControlPlane;
  /** Those of a kind as they are stored, by target such as `order.PlaceOrder`, sorted. */
  list(kind: DocumentKind): Promise<ReadonlyMap<string, Policy>>;
  put(kind: DocumentKind, target: string, value: string): Promise<void>;
  /** False when there was none, or, with `expectedIndex`, when it has been written since it had that index. */
  delete(kind: DocumentKind, target: string, expectedIndex?: number): Promise<boolean>;
}

/** Opens the documents of the shop that the settings lead to, for as long as `use` takes. */
export async function withDocuments<T>(settings: Resolved, use: (documents: Documents) => Promise<T>): Promise<T> {
  const controlPlane = await connectControlPlane(settings, createLog({ level: 'error' }));
  try {
    return await use(openDocuments(controlPlane));
  } finally {
    await controlPlane.stop();
  }
}

export function openDocuments(controlPlane: ControlPlane): Documents {
  const { policies } = controlPlane;
  return {
    controlPlane,
    async list(kind) {
      const prefix = documentKey(kind, '');
      const listed = await listOnce(policies, prefix);
      return new Map(listed.map((policy) => [policy.key.slice(prefix.length), policy]));
    },
    async put(kind, target, value) {
      await policies.put(documentKey(kind, target), value);
    },
    async delete(kind, target, expectedIndex) {
      const key = documentKey(kind, target);
      const found = await policies.get(key);
      return (await policies.delete(key, expectedIndex)) && found !== undefined;
    },
  };
}

/** The first answer of a watch. */
async function listOnce(policies: PolicyStore, prefix: string): Promise<readonly Policy[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Policy[]>();
  const watch = policies.watch(prefix, { onPolicies: resolve, onError: reject });
  try {
    return await promise;
  } finally {
    await watch.stop();
  }
}
