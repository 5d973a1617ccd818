import { X509Certificate } from 'node:crypto';

import type { TrustBundle } from '../certificate.ts';
import { unavailable } from './failure.ts';

/** As `GET /v1/agent/connect/ca/roots` lists them. */
interface RootsAnswer {
  readonly ActiveRootID: string;
  readonly TrustDomain: string;
  readonly Roots: readonly { readonly ID: string; readonly RootCert: string }[];
}

/** More than Consul ever lists: it drops a root when two lifetimes of a leaf have passed. */
const MAX_ROOTS = 64;

export function toTrustBundle(body: unknown): TrustBundle {
  // Documented shape; what is not of it fails in `trustBundle`.
  const { ActiveRootID, TrustDomain, Roots } = (body ?? {}) as Partial<RootsAnswer>;
  const roots = Array.isArray(Roots) ? Roots : [];
  return trustBundle(TrustDomain ?? '', roots.map(({ ID, RootCert }) => ({ pem: RootCert, isActive: ID === ActiveRootID })));
}

/** Refuses an answer that would leave the mesh without roots, or with some that no certificate can be held against. */
export function trustBundle(trustDomain: string, roots: readonly { readonly pem: string; readonly isActive: boolean }[]): TrustBundle {
  const isWhole = trustDomain !== '' && roots.length > 0 && roots.length <= MAX_ROOTS && roots.every(({ pem }) => isCertificate(pem));
  if (!isWhole) throw unavailable('unreachable', 'the roots that Consul answered cannot be used; is its certificate authority (connect) on, and set up?');
  const activeFirst = roots.toSorted((one, other) => Number(other.isActive) - Number(one.isActive));
  return { trustDomain: trustDomain.toLowerCase(), roots: activeFirst.map(({ pem }) => pem) };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}
