/** What a call may still take. */
export interface TimeAsked {
  /** How long its caller would wait; Infinity when it did not say. */
  readonly timeoutMs: number;
  /** How long the contract lets it take. */
  readonly contractMs: number;
  /** Until when the call that is served here is to be answered; undefined outside of one. Milliseconds since the epoch, like `now`. */
  readonly servedDeadline: number | undefined;
}

/**
 * Until when a call is to be answered. What its caller says holds, also when it is longer than the contract's, which is
 * for callers who say nothing. A call that is made to answer another always ends a little before that one.
 */
export function outgoingDeadline(now: number, { timeoutMs, contractMs, servedDeadline = Infinity }: TimeAsked): number {
  const asked = now + (timeoutMs === Infinity ? contractMs : timeoutMs);
  return Math.min(asked, servedDeadline - marginMs(servedDeadline - now));
}

/**
 * What a hop keeps for itself, so that the answer that nothing came is its own and arrives in time: 2 % of what is left,
 * at least 1 ms (a header tells whole milliseconds), at most 25 (an event loop under load is late by so much). Of 5,000 ms
 * left the next hop gets 4,975, of 500 it gets 490, of 20 it gets 19; the fourth of four hops still has 4,925 of 5,000.
 */
export function marginMs(leftMs: number): number {
  return Math.min(25, Math.max(1, Math.ceil(leftMs * 0.02)));
}
