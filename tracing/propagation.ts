import { type Context, context, isSpanContextValid, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';

/** Headers, or the columns of an event's row. */
type Carrier = Readonly<Record<string, string | undefined>>;

/**
 * The context that another process wrote as `traceparent` and `tracestate`. Nothing is added to it, and so not the
 * active context: a span that merely happens to be active where a request or an event arrives is not its parent.
 * What is malformed is ignored, as the standard asks. Source: W3C Trace Context.
 */
export function extractContext(carrier: Carrier): Context {
  return propagation.extract(ROOT_CONTEXT, carrier);
}

/** The active span as a W3C `traceparent` (`00-<trace id>-<span id>-01`), undefined outside of a span. */
export function currentTraceparent(): string | undefined {
  const span = trace.getSpanContext(context.active());
  if (span === undefined || !isSpanContextValid(span)) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}
