import type { HrTime, TimeInput } from '@opentelemetry/api';

/** The clocks of a process, in milliseconds. */
export interface Clocks {
  /** Since the epoch, in whole milliseconds. */
  readonly wall: () => number;
  /** Since the process began, finer. */
  readonly monotonic: () => number;
  /** When that was, since the epoch. */
  readonly origin: number;
}

/** Milliseconds since the epoch, finer than the wall clock, which has no finer reading than `Date.now()`. */
export interface SpanClock {
  /** When the monotonic clock read 0. Whoever measures a duration keeps it, and reads the end by {@link after}. */
  readonly originMs: number;
  /** Now. Sets `originMs` right first, once a millisecond at most. */
  nowMs(): number;
  /** Now, counted by the monotonic clock alone: what lasts is measured right whatever becomes of the wall clock. */
  after(originMs: number): number;
  /** What a caller says, which may be a reading of `performance.now()`. */
  toMs(time: TimeInput): number;
}

const systemClocks: Clocks = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  origin: performance.timeOrigin,
};

/** The latest within a millisecond of the wall clock. */
const LATEST = 0.999;
/** A busy process starts ten spans in this time; they need not all read three clocks. */
const CHECK_EVERY_MS = 1;

/**
 * The wall clock drifts from the monotonic one, which stands still while a laptop sleeps. So the origin is moved when
 * the time leaves the wall clock's millisecond, by as little as brings it back: a step that ends before the next one
 * begins must not seem to end after it.
 */
export function createSpanClock({ wall, monotonic, origin }: Clocks = systemClocks): SpanClock {
  let originMs = origin;
  let nextCheckMs = -Infinity;

  /** The process may be held up between any two readings, for milliseconds; only what both sides agree on is an error. */
  function setRight(beforeMs: number): number {
    const wallMs = wall();
    const afterMs = monotonic();
    const aheadMs = Math.max(0, originMs + beforeMs - wallMs - LATEST);
    const behindMs = Math.max(0, wallMs - originMs - afterMs);
    originMs += behindMs - aheadMs;
    nextCheckMs = afterMs + CHECK_EVERY_MS;
    return afterMs;
  }

  return {
    get originMs() {
      return originMs;
    },
    nowMs() {
      const readMs = monotonic();
      const sinceOriginMs = readMs < nextCheckMs ? readMs : setRight(readMs);
      return originMs + sinceOriginMs;
    },
    after: (fromMs) => fromMs + monotonic(),
    toMs(time) {
      if (typeof time === 'number') return time <= monotonic() ? originMs + time : time;
      return Array.isArray(time) ? time[0] * 1e3 + time[1] / 1e6 : time.getTime();
    },
  };
}

/** Seconds and nanoseconds, in whole microseconds: a double has no more at this distance from 1970. */
export function toHrTime(ms: number): HrTime {
  const us = Math.round(ms * 1e3);
  const seconds = Math.floor(us / 1e6);
  return [seconds, (us - seconds * 1e6) * 1e3];
}
