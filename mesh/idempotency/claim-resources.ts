import { MeshError } from '#kit';

import type { EffectTransaction, FirstRequest, IdempotencyStore, ResourceRequest } from './store.ts';

/** A call's claim of its key for the resource that it is about to make. */
export interface ResourceClaim extends ResourceRequest {
  readonly store: IdempotencyStore;
  /** Of the call. */
  leftMs(): number;
  /** The id of what the first request with the key has made. IDEMPOTENCY_KEY_REUSED. */
  resourceOf(first: FirstRequest): string;
}

/**
 * Claims the keys of calls of one service for the resources that `tx` is about to make, by one statement however many there
 * are. Answers each, in their order, with the id of its key's resource, or with its refusal, such as IDEMPOTENCY_KEY_REUSED.
 * An id other than its own means that the same request has made it before, perhaps another one of these: then write nothing
 * for it. Waits for other transactions that are about to claim the same keys until the first deadline of these calls, and
 * `maxWaitMs` for each key at most; then throws DEADLINE_EXCEEDED, and `tx` has claimed none.
 */
export async function claimResources(tx: EffectTransaction, claims: readonly ResourceClaim[], maxWaitMs = Infinity): Promise<readonly (string | MeshError)[]> {
  const [any] = claims;
  if (!any) return [];
  const waitMs = Math.min(maxWaitMs, ...claims.map((claim) => claim.leftMs()));
  const firsts = await any.store.claimResources(tx, claims, waitMs);
  return claims.map((claim, index) => answerOf(claim, firsts[index]));
}

function answerOf(claim: ResourceClaim, first: FirstRequest | undefined): string | MeshError {
  try {
    return first ? claim.resourceOf(first) : claim.resourceId;
  } catch (thrown) {
    return MeshError.from(thrown);
  }
}
