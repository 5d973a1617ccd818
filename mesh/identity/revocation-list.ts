import type { Clock } from '#kit';

import type { AccessToken } from './access-token.ts';

/** A user's tokens of an earlier generation are void. */
export interface Revocation {
  /** Higher than that of those before. */
  readonly sequence: bigint;
  readonly userId: string;
  readonly generation: number;
  /** Milliseconds since the epoch. By then they have all expired by themselves. */
  readonly expireTimeMs: number;
}

/** Whose access tokens were voided before they expired. */
export interface RevocationList {
  /** Of the last revocation that it has heard of: ask for those behind it. */
  readonly lastSequence: bigint;
  add(revocations: readonly Revocation[]): void;
  isRevoked(token: Pick<AccessToken, 'userId' | 'generation'>): boolean;
}

/** Holds what `AccountService.ListRevocations` told: that of some minutes, since a token does not live longer. */
export function createRevocationList(clock: Clock): RevocationList {
  /** In the order of their sequences, so those that expire first are in front. */
  const byUser = new Map<string, Revocation>();
  let lastSequence = 0n;

  function forgetExpired(): void {
    for (const [userId, { expireTimeMs }] of byUser) {
      if (expireTimeMs > clock.now()) return;
      byUser.delete(userId);
    }
  }

  return {
    get lastSequence() {
      return lastSequence;
    },
    add(revocations) {
      forgetExpired();
      for (const revocation of revocations) {
        if (revocation.sequence <= lastSequence) continue;
        lastSequence = revocation.sequence;
        byUser.delete(revocation.userId);
        byUser.set(revocation.userId, revocation);
      }
    },
    isRevoked({ userId, generation }) {
      const revocation = byUser.get(userId);
      return revocation !== undefined && generation < revocation.generation;
    },
  };
}
