import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** What a span has recorded so far. */
export function recordedSpan(span: unknown): ReadableSpan {
  // Recorded spans are readable; the API's type only does not say so.
  return span as ReadableSpan;
}
