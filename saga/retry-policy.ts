import { backoffMs, type Random } from '#kit';

/** How a step that failed is tried again. */
export interface RetryPolicy {
  /** The pause after the first failed try, which doubles with every further one, jittered by 20 %. Default 100. */
  readonly firstPauseMs?: number;
  /** The longest it gets. Default 5,000. */
  readonly longestPauseMs?: number;
  /**
   * Tries of a step that stays unanswered, before the pivot, until its saga turns round.
   * Default 20: with pauses of 0.1, 0.2, 0.4 … 5 s, after a bit more than a minute of them.
   * After the pivot, and on the way back, an outage is waited for, however long.
   */
  readonly maxAttempts?: number;
  /** Times a step is refused where there is no other way, until its saga is parked. Default 8: after about ten seconds. */
  readonly maxRefusals?: number;
  /** Times a step fails by a fault of its callee, until its saga is parked. Default 20: after more than a minute, for a fault may pass. */
  readonly maxFaults?: number;
}

export const USUAL_RETRIES: Required<RetryPolicy> = { firstPauseMs: 100, longestPauseMs: 5_000, maxAttempts: 20, maxRefusals: 8, maxFaults: 20 };

/** The pause before the next try of a step that has failed `attempt` times. */
export function pauseMs({ firstPauseMs, longestPauseMs }: Required<RetryPolicy>, attempt: number, random: Random): number {
  return backoffMs(attempt, firstPauseMs, longestPauseMs, random);
}
