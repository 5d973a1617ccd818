import { type Metadata, status } from '@grpc/grpc-js';

import { fromStatus, hasDetails } from '../../status.ts';

/** What the end of a call says of the instance that had it. */
export type CallOutcome =
  /** It works, also where the answer is a refusal such as NOT_FOUND. */
  | { readonly kind: 'answered' }
  /**
   * It lives, and turned the call away on purpose; how long it wants to be left alone. Leaving it out for that would push
   * its load onto the others, until they shed as well.
   */
  | { readonly kind: 'shed'; readonly afterMs: number }
  /** Its fault, and it said so itself: it lives. */
  | { readonly kind: 'broken' }
  /** Nobody seems to be there. */
  | { readonly kind: 'gone' }
  /** Nobody answered in time, and the time was ample. */
  | { readonly kind: 'expired' }
  /** The caller went away, or had no more time, after waiting far longer than usual, as for the slower of two hedged attempts. */
  | { readonly kind: 'given-up' }
  /** Nothing, such as when a caller went away soon. */
  | { readonly kind: 'unclear' };

/** How long calls to a destination take, and so what is unusually long. */
export interface Patience {
  /** The middle of what its instances need, in milliseconds; undefined until enough calls were answered. */
  readonly usualMs: number | undefined;
  /** Times the usual that an expired call must have waited to be the instance's fault. */
  readonly factor: number;
}

/** Made once: nothing is allocated for a call that is answered. */
const ANSWERED: CallOutcome = { kind: 'answered' };
const BROKEN: CallOutcome = { kind: 'broken' };
const GONE: CallOutcome = { kind: 'gone' };
const EXPIRED: CallOutcome = { kind: 'expired' };
const GIVEN_UP: CallOutcome = { kind: 'given-up' };
const UNCLEAR: CallOutcome = { kind: 'unclear' };

/** What may be said by, or of, an instance that does not work; every other code is the answer of one that does. */
const TROUBLES: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.INTERNAL,
  status.UNKNOWN,
  status.DATA_LOSS,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
]);

/** An expired call is the instance's fault from here on while nobody knows what is usual. */
const UNKNOWN_PATIENCE_MS = 1_000;

/** Below this, an event loop that was busy for a moment explains it. */
export const NOISE_MS = 10;

/** Times the usual after which a caller that went away, or whose time is over, counts as one that gave up. */
const GIVEN_UP_FACTOR = 2;

/** Reads the end of a call that was on its way for `ms`; undefined: of a stream, which ends when its reader likes. */
export function outcomeOf(code: status, details: string, trailers: Metadata, ms: number | undefined, patience: Patience): CallOutcome {
  if (code === status.OK) return ANSWERED;
  if (code === status.CANCELLED) return hasGivenUp(ms, patience) ? GIVEN_UP : UNCLEAR;
  if (!TROUBLES.has(code)) return ANSWERED;
  if (code === status.DEADLINE_EXCEEDED && !hasWaited(ms, patience)) return hasGivenUp(ms, patience) ? GIVEN_UP : UNCLEAR;
  const answer = { code, details, metadata: trailers };
  const { retry } = fromStatus(answer);
  // It comes from further down, where whoever called last has judged it.
  if (retry?.kind === 'never') return ANSWERED;
  if (retry?.kind === 'not-started' || code === status.RESOURCE_EXHAUSTED) return { kind: 'shed', afterMs: retry?.afterMs ?? 0 };
  if (hasDetails(answer)) return BROKEN;
  if (code === status.DEADLINE_EXCEEDED) return EXPIRED;
  return code === status.UNAVAILABLE ? GONE : BROKEN;
}

/** A caller that allows 5 ms where 4 are usual says nothing of the instance; one that waited 20 does (factor 5). */
function hasWaited(ms: number | undefined, { usualMs, factor }: Patience): boolean {
  return ms !== undefined && ms >= (usualMs === undefined ? UNKNOWN_PATIENCE_MS : Math.max(NOISE_MS, usualMs * factor));
}

function hasGivenUp(ms: number | undefined, { usualMs }: Patience): boolean {
  return ms !== undefined && usualMs !== undefined && ms >= Math.max(NOISE_MS, usualMs * GIVEN_UP_FACTOR);
}
