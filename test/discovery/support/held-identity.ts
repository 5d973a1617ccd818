import { createPrivateKey } from 'node:crypto';

import type { LeafCertificate, ServiceIdentity, TrustBundle } from '#discovery';

/** A certificate with its key, however it came about. */
export interface Shown {
  readonly chainPem: string;
  readonly keyPem: string;
}

/** An identity that a test renews by hand. */
export interface HeldIdentity extends ServiceIdentity {
  become(shown: Shown, trust?: TrustBundle): void;
  believe(trust: TrustBundle): void;
  /** Who follows it. */
  listeners(): number;
}

export function holdIdentity(service: string, first: Shown, believed: TrustBundle): HeldIdentity {
  const listeners = new Set<() => void>();
  let leaf = leafOf(service, first);
  let trust = believed;
  const tell = (): void => listeners.forEach((listener) => listener());
  return {
    service,
    leaf: () => leaf,
    trust: () => trust,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    become(shown, next = trust) {
      leaf = leafOf(service, shown);
      trust = next;
      tell();
    },
    believe(next) {
      trust = next;
      tell();
    },
    listeners: () => listeners.size,
    stop: async () => listeners.clear(),
  };
}

function leafOf(service: string, { chainPem, keyPem }: Shown): LeafCertificate {
  return { service, spiffeId: '', chainPem, privateKey: createPrivateKey(keyPem), notBeforeMs: 0, notAfterMs: Infinity };
}
