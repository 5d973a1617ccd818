import type { Meter } from '@opentelemetry/api';

import { type ClientInterceptor, whenDone } from '../call.ts';
import type { Method } from '../method.ts';
import { CallProgress, withProgress } from './call-progress.ts';
import { createDurations, LATENCY_BUCKETS, type Stopwatch } from './durations.ts';
import { clientAttributes } from './method-attributes.ts';

/** Calls take three attempts at most, unless a policy says otherwise (gRFC A96). */
const ATTEMPT_BUCKETS = [1, 2, 3, 4, 5];

/**
 * Calls as their callers see them (gRFC A66), and what their further attempts were (gRFC A96). A call with one attempt is
 * in none of the latter. Transparent retries are grpc-js's own, and nobody is told of them.
 */
export function createClientCalls(meter: Meter, stopwatch: Stopwatch): (method: Method) => ClientInterceptor {
  const durations = createDurations(meter, 'grpc.client.call.duration', 'How long calls took, with all of their attempts.');
  const further = createFurtherAttempts(meter);
  return (method) => {
    const note = durations(clientAttributes(method));
    const noteFurther = further(method);
    return (next) => (call) => {
      const progress = new CallProgress();
      const beganMs = stopwatch();
      call.context = withProgress(call.context, progress);
      return whenDone(next, call, (error) => {
        note(stopwatch() - beganMs, error, call.context);
        noteFurther(progress);
      });
    };
  };
}

function createFurtherAttempts(meter: Meter): (method: Method) => (progress: CallProgress) => void {
  const counted = { advice: { explicitBucketBoundaries: ATTEMPT_BUCKETS } };
  const timed = { advice: { explicitBucketBoundaries: [...LATENCY_BUCKETS] } };
  const retries = meter.createHistogram('grpc.client.call.retries', { unit: '{retry}', description: 'Retries of a call that had any.', ...counted });
  const hedges = meter.createHistogram('grpc.client.call.hedges', { unit: '{hedge}', description: 'Hedges of a call that had any.', ...counted });
  const delay = meter.createHistogram('grpc.client.call.retry_delay', { unit: 's', description: 'How long a call that was retried had no attempt on its way.', ...timed });
  return (method) => {
    const attributes = clientAttributes(method);
    return (progress) => {
      if (progress.hedges > 0) hedges.record(progress.hedges, attributes);
      if (progress.retries === 0) return;
      retries.record(progress.retries, attributes);
      delay.record(progress.delayMs / 1_000, attributes);
    };
  };
}
