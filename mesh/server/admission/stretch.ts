/** A call is never slow for one millisecond, which is as finely as the clock tells. */
const GRAIN_MS = 1;

/** Calls of one stretch of time: how long they took, and how long they usually take. */
export interface Stretch {
  readonly fromMs: number;
  calls: number;
  tookMs: number;
  usualMs: number;
  /** Those of the calls whose time ran out. */
  expired: number;
  /** Whether somebody had to wait for a place. */
  reached: boolean;
  /** Since when all places have been taken, or the last call was answered. */
  quietSinceMs: number;
  /** Most calls at once. */
  peak: number;
}

export function startStretch(fromMs: number): Stretch {
  return { fromMs, calls: 0, tookMs: 0, usualMs: 0, expired: 0, reached: false, quietSinceMs: fromMs, peak: 0 };
}

export function reach(stretch: Stretch, nowMs: number): void {
  if (!stretch.reached) stretch.quietSinceMs = nowMs;
  stretch.reached = true;
}

interface Answered {
  readonly tookMs: number;
  readonly usualMs: number;
  readonly expired: boolean;
}

export function addCall(stretch: Stretch, { tookMs, usualMs, expired }: Answered, nowMs: number, inFlight: number): void {
  stretch.calls += 1;
  stretch.quietSinceMs = nowMs;
  stretch.tookMs += tookMs + GRAIN_MS;
  stretch.usualMs += usualMs + GRAIN_MS;
  if (expired) stretch.expired += 1;
  if (inFlight > stretch.peak) stretch.peak = inFlight;
}

/**
 * How many times longer calls took than they usually do: 1 is as usual. A long call weighs more than a short one, as it
 * holds its place longer: 100 calls of 20 ms instead of 10 and one of 1,000 ms as usual are 3,101 / 2,101, 1.5 times.
 */
export function slowdownOf({ tookMs, usualMs }: Stretch): number {
  return tookMs / usualMs;
}

/**
 * Whether the calls that ended took about as long as those take that are at work (Little's law: 64 at work and 100
 * answers in 100 ms are 64 ms each). Not while calls are getting slower: then there is nothing yet to compare with.
 */
export function isEven({ tookMs, fromMs }: Stretch, nowMs: number, inFlight: number): boolean {
  return tookMs >= 0.75 * inFlight * (nowMs - fromMs);
}
