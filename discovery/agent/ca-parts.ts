import type { Stoppable } from '#kit';

import { type Authority, type AuthorityOptions, createAuthority } from './ca.ts';
import { createLeafCache, type LeafCache } from './leaf-cache.ts';

/** What the agent needs for certificates. */
export interface AgentCertificates extends Stoppable {
  readonly authority: Authority;
  readonly leaves: LeafCache;
}

export function createAgentCertificates(options: AuthorityOptions): AgentCertificates {
  const authority = createAuthority(options);
  const leaves = createLeafCache({ ...options, issue: (service) => authority.issue(service) });
  return { authority, leaves, stop: leaves.stop };
}
