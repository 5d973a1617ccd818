import type { ControlPlane, Policy, PolicyStore } from '#discovery';
import { createLog } from '#kit';
import { type DocumentKind, documentKey } from '#mesh';

import { connectControlPlane } from '../serving/control-plane.ts';
import type { Resolved } from '../settings.ts';

/** The documents that steer a running shop, and who keeps them. */
export interface Documents {
  readonly controlPlane: ControlPlane;
  /** Those of a kind as they are written, by target such as `order.PlaceOrder`, sorted. */
  list(kind: DocumentKind): Promise<ReadonlyMap<string, string>>;
  put(kind: DocumentKind, target: string, value: string): Promise<void>;
  /** False when there was none. */
  delete(kind: DocumentKind, target: string): Promise<boolean>;
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

function openDocuments(controlPlane: ControlPlane): Documents {
  const { policies } = controlPlane;
  return {
    controlPlane,
    async list(kind) {
      const prefix = documentKey(kind, '');
      const listed = await listOnce(policies, prefix);
      return new Map(listed.map(({ key, value }) => [key.slice(prefix.length), value]));
    },
    async put(kind, target, value) {
      await policies.put(documentKey(kind, target), value);
    },
    async delete(kind, target) {
      const key = documentKey(kind, target);
      const found = await policies.get(key);
      await policies.delete(key);
      return found !== undefined;
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
