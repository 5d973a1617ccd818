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
 * Gives spans their times to the microsecond. The SDK starts them on the millisecond, so that the steps of a quick
 * call all seem to begin at once and in no order. It also counts their duration from before it had built them, which
 * the first time takes a while: with a start that is read afterwards, they would end later than they did.
 */
export function createPreciseTimes(clocks: Clocks = systemClocks): SpanProcessor {
  const clock = preciseClock(clocks);
  return {
    onStart(span) {
      const nowMs = clock();
      const writable: { startTime: HrTime } = span;
      writable.startTime = toHrTime(nowMs());
      const end = span.end.bind(span);
      span.end = (time) => end(time ?? toHrTime(nowMs()));
    },
    onEnd: () => undefined,
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
}

/**
 * Gives the milliseconds since the epoch, finer than the wall clock, which has no finer reading than `Date.now()`: a
 * function that goes on counting by the monotonic clock alone, so that what lasts is measured right whatever becomes of
 * the wall clock. That drifts from the monotonic one, which stands still while a laptop sleeps; so the next count is
 * moved when it leaves the wall clock's millisecond, by as little as brings it back: a step that ends before the next
 * one begins must not seem to end after it.
 */
export function preciseClock({ wall, monotonic, origin }: Clocks): () => () => number {
  let originMs = origin;
  return () => {
    // The process may be held up between any two readings, for milliseconds; only what both sides agree on is an error.
    const beforeMs = monotonic();
    const wallMs = wall();
    const afterMs = monotonic();
    const aheadMs = Math.max(0, originMs + beforeMs - wallMs - LATEST);
    const behindMs = Math.max(0, wallMs - originMs - afterMs);
    originMs += behindMs - aheadMs;
    const fromMs = originMs;
    return () => fromMs + monotonic();
  };
}

/** Seconds and nanoseconds, in whole microseconds: a double has no more at this distance from 1970. */
function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor((ms - seconds * 1000) * 1000) * 1000];
}
