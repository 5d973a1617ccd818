import type { HrTime } from '@opentelemetry/api';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';

/**
 * Gives spans a start to the microsecond. The SDK starts them on the millisecond, so that the steps of a quick
 * call all seem to begin at once and in no order; their duration, and so their end, it counts precisely from the start.
 *
 * The wall clock has no finer reading than `Date.now()`, the monotonic clock drifts from it and stands still while
 * a laptop sleeps. So the monotonic clock gives the fraction, and is set anew when it leaves the wall clock's millisecond.
 */
export function createPreciseStart(): SpanProcessor {
  let originMs = performance.timeOrigin;

  function now(): HrTime {
    const wallMs = Date.now();
    const monotonicMs = performance.now();
    const offMs = originMs + monotonicMs - wallMs;
    if (offMs < 0 || offMs >= 1) originMs = wallMs - monotonicMs;
    return toHrTime(originMs + monotonicMs);
  }

  return {
    onStart(span) {
      const writable: { startTime: HrTime } = span;
      writable.startTime = now();
    },
    onEnd: () => undefined,
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
}

/** Seconds and nanoseconds, in whole microseconds: a double has no more at this distance from 1970. */
function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor((ms - seconds * 1000) * 1000) * 1000];
}
