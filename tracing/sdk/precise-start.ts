import type { HrTime } from '@opentelemetry/api';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';

/** The clocks of a process, in milliseconds. */
export interface Clocks {
  /** Since the epoch, in whole milliseconds. */
  readonly wall: () => number;
  /** Since the process began, finer. */
  readonly monotonic: () => number;
  /** When that was, since the epoch. */
  readonly origin: number;
}

const systemClocks: Clocks = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  origin: performance.timeOrigin,
};

/** The latest within a millisecond of the wall clock. */
const LATEST = 0.999;

/**
 * Gives spans a start to the microsecond. The SDK starts them on the millisecond, so that the steps of a quick
 * call all seem to begin at once and in no order; their duration, and so their end, it counts precisely from the start.
 */
export function createPreciseStart(clocks: Clocks = systemClocks): SpanProcessor {
  const nowMs = preciseClock(clocks);
  return {
    onStart(span) {
      const writable: { startTime: HrTime } = span;
      writable.startTime = toHrTime(nowMs());
    },
    onEnd: () => undefined,
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
}

/**
 * Milliseconds since the epoch, finer than the wall clock, which has no finer reading than `Date.now()`. The monotonic
 * clock gives the fraction; it drifts from the wall clock and stands still while a laptop sleeps, so it is moved when
 * it leaves the wall clock's millisecond, by as little as brings it back: a step that ends before the next one begins
 * must not seem to end after it.
 */
export function preciseClock({ wall, monotonic, origin }: Clocks): () => number {
  let originMs = origin;
  return () => {
    const wallMs = wall();
    const monotonicMs = monotonic();
    const offMs = originMs + monotonicMs - wallMs;
    originMs += Math.min(LATEST, Math.max(0, offMs)) - offMs;
    return originMs + monotonicMs;
  };
}

/** Seconds and nanoseconds, in whole microseconds: a double has no more at this distance from 1970. */
function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor((ms - seconds * 1000) * 1000) * 1000];
}
