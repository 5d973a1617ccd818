import type { Admission } from '../../policy/call-policy.ts';

/** A line that was not empty for so many times `maxQueuedMs` stands: 500 ms with the default of 250. */
const STANDS = 2;
/** Longest wait in a line that does not stand, as a multiple of `maxQueuedMs`: 2 s. */
const IN_BURST = 8;
/** Share of the time that a call has left which it may spend waiting. The rest is for the work, or for another instance. */
const SHARE_OF_TIME_LEFT = 0.5;

/** A line, as somebody finds it who joins it. */
export interface LineFound {
  /** How long the line has not been empty. */
  readonly standsMs: number;
  /** How much time the one who joins has left. */
  readonly timeLeftMs: number;
}

/**
 * How long one who joins a line may wait in it. A line that stands holds calls that come faster than they are answered: it
 * makes everybody late and nobody served, and is kept short (`maxQueuedMs`). One that was empty a moment ago holds a
 * burst, which ends by itself: there a call may wait for half of the time that it has left. With `maxQueuedMs` 250, calls
 * with 5 s, 1 s and 500 ms left wait 2 s, 500 ms and 250 ms in a burst; each of them 250 ms where the line stands.
 *
 * 200 calls at once, 5 s each, for ten workers of 100 ms: 58 find a place, the last of the others gets in after 1.4 s.
 *
 * Source: CoDel (RFC 8289), which tells a good queue from a bad one by whether it goes away within an interval.
 */
export function patienceMs({ maxQueuedMs }: Admission, { standsMs, timeLeftMs }: LineFound): number {
  if (standsMs >= STANDS * maxQueuedMs) return maxQueuedMs;
  return Math.max(maxQueuedMs, Math.min(IN_BURST * maxQueuedMs, SHARE_OF_TIME_LEFT * timeLeftMs));
}
