import { type Metadata, status } from '@grpc/grpc-js';

import { fromStatus } from '../../status.ts';

/**
 * What the end of a call says of the instance that had it:
 * - `answered`: it works, also where the answer is a refusal such as NOT_FOUND;
 * - `shed`: it lives, and turned the call away on purpose. Leaving it out for that would push its load onto the others,
 *   until they shed as well;
 * - `failed`: its fault;
 * - `given-up`: the caller went away after waiting far longer than usual, as for the slower of two hedged attempts;
 * - `unclear`: nothing, such as when a caller went away soon.
 */
export type CallOutcome = 'answered' | 'shed' | 'failed' | 'given-up' | 'unclear';

/** How long calls to a destination take, and so what is unusually long. */
export interface Patience {
  /** The middle of what its instances need, in milliseconds; undefined until enough calls were answered. */
  readonly usualMs: number | undefined;
  /** Times the usual that an expired call must have waited to be the instance's fault. */
  readonly factor: number;
}

/** Faults of the side that answers; every other code is the answer of an instance that works. */
const FAULTS: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.INTERNAL, status.UNKNOWN, status.DATA_LOSS]);

/** An expired call is the instance's fault from here on while nobody knows what is usual. */
const UNKNOWN_PATIENCE_MS = 1_000;

/** Below this, an event loop that was busy for a moment explains it. */
export const NOISE_MS = 10;

/** Times the usual after which a caller that went away counts as one that gave up. */
const GIVEN_UP_FACTOR = 2;

/** Reads the end of a call that was on its way for `ms`. */
export function outcomeOf(code: status, details: string, trailers: Metadata, ms: number, patience: Patience): CallOutcome {
  if (code === status.OK) return 'answered';
  if (code === status.RESOURCE_EXHAUSTED) return 'shed';
  if (code === status.CANCELLED) return hasGivenUp(ms, patience) ? 'given-up' : 'unclear';
  if (code === status.DEADLINE_EXCEEDED) return hasWaited(ms, patience) ? 'failed' : 'unclear';
  if (!FAULTS.has(code)) return 'answered';
  const { retry } = fromStatus({ code, details, metadata: trailers });
  // It comes from further down, where whoever called last has judged it; or the instance drains.
  if (retry?.kind === 'never') return 'answered';
  return retry?.kind === 'not-started' ? 'shed' : 'failed';
}

/** A caller that allows 5 ms where 4 are usual says nothing of the instance; one that waited 20 does (factor 5). */
function hasWaited(ms: number, { usualMs, factor }: Patience): boolean {
  return ms >= (usualMs === undefined ? UNKNOWN_PATIENCE_MS : Math.max(NOISE_MS, usualMs * factor));
}

function hasGivenUp(ms: number, { usualMs }: Patience): boolean {
  return usualMs !== undefined && ms >= Math.max(NOISE_MS, usualMs * GIVEN_UP_FACTOR);
}
