import type { Clock } from '#kit';

import { isServerFault, type Witness } from './outcome.ts';

/** How far back a rate looks. */
const WINDOW_SECONDS = 10;
/** Width of a bucket: by as much a rate may look back too little. */
const BUCKET_MS = 100;
const BUCKETS = (WINDOW_SECONDS * 1_000) / BUCKET_MS;

/** Calls that have ended, and those of them that failed by a fault of the service. */
export interface CallCounts {
  readonly calls: number;
  readonly errors: number;
  /** Of the last 10 s, for each second of them. */
  readonly callsPerSecond: number;
  readonly errorsPerSecond: number;
}

/** Counts the calls of one method. */
export interface CallTally {
  /** Takes constant time and allocates nothing. */
  readonly count: Witness;
  read(): CallCounts;
}

/** A ring of buckets, each stamped with the time it belongs to; a stale one is emptied when its turn comes again. */
export function createCallTally(clock: Clock): CallTally {
  const stamps = new Float64Array(BUCKETS);
  const calls = new Uint32Array(BUCKETS);
  const errors = new Uint32Array(BUCKETS);
  const total = { calls: 0, errors: 0 };
  const tick = (): number => Math.floor(clock.now() / BUCKET_MS);

  function bucketOf(now: number): number {
    const bucket = now % BUCKETS;
    if (stamps[bucket] !== now) {
      stamps[bucket] = now;
      calls[bucket] = 0;
      errors[bucket] = 0;
    }
    return bucket;
  }

  function rateOf(counts: Uint32Array): number {
    const now = tick();
    const recent = counts.reduce((sum, count, bucket) => (isRecent(stamps[bucket], now) ? sum + count : sum), 0);
    return recent / WINDOW_SECONDS;
  }

  return {
    count(error) {
      const bucket = bucketOf(tick());
      total.calls += 1;
      calls[bucket] = (calls[bucket] ?? 0) + 1;
      if (!error || !isServerFault(error.code)) return;
      total.errors += 1;
      errors[bucket] = (errors[bucket] ?? 0) + 1;
    },
    read: () => ({ ...total, callsPerSecond: rateOf(calls), errorsPerSecond: rateOf(errors) }),
  };
}

/** Not from a lap ago; nor from the future, which a clock that was set back leaves behind. */
function isRecent(stamp: number | undefined, now: number): boolean {
  return stamp !== undefined && stamp > now - BUCKETS && stamp <= now;
}
