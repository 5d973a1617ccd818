import { readFaults, readPolicies } from './stored-documents.ts';
import type { Documents } from './with-documents.ts';

/** Deletes the policies and faults that are over, for nobody else does; not what somebody has renewed since it was read. */
export async function sweepDocuments(documents: Documents, nowMs: number): Promise<void> {
  const [policies, faults] = await Promise.all([readPolicies(documents), readFaults(documents, nowMs)]);
  const overPolicies = policies.filter(({ document }) => document !== undefined && document.expiresMs <= nowMs);
  const overFaults = faults.filter(({ fault }) => fault.untilMs <= nowMs);
  await Promise.all([
    ...overPolicies.map(({ target, index }) => documents.delete('policy', target, index)),
    ...overFaults.map(({ target, index }) => documents.delete('fault', target, index)),
  ]);
}
