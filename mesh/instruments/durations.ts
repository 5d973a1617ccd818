import type { Attributes, Context, Meter } from '@opentelemetry/api';

import type { MeshError } from '#kit';

import { withStatus } from './method-attributes.ts';

/** Seconds; 10 µs to 100 s (gRFC A66, "Units"). A hint: a view of whoever collects overrides it. */
export const LATENCY_BUCKETS: readonly number[] = [
  ...[0, 0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008],
  ...[0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008],
  ...[0.01, 0.013, 0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08],
  ...[0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8],
  ...[1, 2, 5, 10, 20, 50, 100],
];

/** Milliseconds from any moment on, with fractions, never set back: a call in this process takes 20 µs. */
export type Stopwatch = () => number;

/** Notes how long a call took that ended so. */
export type NoteDuration = (ms: number, error: MeshError | undefined, context: Context) => void;

/** A histogram of durations by status; returns its part for what has the given attributes. */
export function createDurations(meter: Meter, name: string, description: string): (attributes: Attributes) => NoteDuration {
  const histogram = meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: [...LATENCY_BUCKETS] } });
  return (base) => {
    const attributes = withStatus(base);
    return (ms, error, context) => histogram.record(ms / 1_000, attributes(error?.code ?? 'OK'), context);
  };
}
