import { X509Certificate } from 'node:crypto';
import type { TrustBundle } from '#discovery';
import { type Clock, systemClock, systemRandom } from '#kit';

import { createCertificateMaker, newKeyPem } from '../../../discovery/agent/ca-certificates.ts';
import type { IssuedLeaf, RootRecord } from '../../../discovery/agent/ca-records.ts';

export const CLUSTER = '11111111-2222-3333-4444-555555555555';

/** A root of the test's own, and what it signs. */
export interface TestAuthority {
  readonly root: RootRecord;
  readonly trust: TrustBundle;
  leaf(service: string, ttlMs?: number): Promise<IssuedLeaf>;
  /** The next root, which the present one vouches for. */
  rotated(): Promise<TestAuthority>;
}

export async function createTestAuthority(clusterId = CLUSTER, clock: Clock = systemClock, before?: RootRecord): Promise<TestAuthority> {
  const maker = createCertificateMaker(clock, systemRandom);
  const root = await maker.root(clusterId, await newKeyPem(), before);
  return {
    root,
    trust: { trustDomain: `${clusterId}.consul`, roots: [root.certPem] },
    leaf: (service, ttlMs = 3_600_000) => maker.leaf(clusterId, root, service, ttlMs),
    rotated: () => createTestAuthority(clusterId, clock, root),
  };
}

export function certificateOf(pem: string): X509Certificate {
  return new X509Certificate(pem);
}
