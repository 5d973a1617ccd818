import {
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';

import type { IdSource } from './random-ids.ts';
import { RecordingSpan, type SpanOrigin } from './recording-span.ts';

export interface TracerOptions extends SpanOrigin {
  readonly ids: IdSource;
  /** Whether a trace that begins here is recorded. Of one that began elsewhere its caller has decided. */
  readonly isSampled: (traceId: string) => boolean;
}

/**
 * Starts {@link RecordingSpan}s where the SDK's tracer starts its own. Not its provider's: that one checks attributes
 * twice, makes a result for its sampler and counts by metrics that nobody reads, for each span.
 */
export function createTracer(options: TracerOptions): Tracer {
  const { ids, isSampled } = options;

  function startSpan(name: string, given: SpanOptions = {}, active: Context = context.active()): Span {
    if (isTracingSuppressed(active)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const parent = given.root === true ? undefined : parentIn(active);
    const traceId = parent?.traceId ?? ids.traceId();
    const isRecorded = parent === undefined ? isSampled(traceId) : (parent.traceFlags & TraceFlags.SAMPLED) !== 0;
    // A span that is not recorded has an id of its own all the same: logs may tell it by that (OpenTelemetry Trace SDK).
    const spanId = ids.spanId();
    const traceFlags = isRecorded ? TraceFlags.SAMPLED : TraceFlags.NONE;
    const traceState = parent?.traceState;
    const own = traceState === undefined ? { traceId, spanId, traceFlags } : { traceId, spanId, traceFlags, traceState };
    if (!isRecorded) return trace.wrapSpanContext(own);
    const span = new RecordingSpan(options, { name, kind: given.kind ?? SpanKind.INTERNAL, context: own, parent, time: given.startTime });
    if (given.attributes) span.setAttributes(given.attributes);
    if (given.links) span.addLinks(given.links);
    return span;
  }

  function startActiveSpan<F extends (span: Span) => ReturnType<F>>(
    name: string,
    ...args: [F] | [SpanOptions, F] | [SpanOptions, Context, F]
  ): ReturnType<F> {
    const [given, active, fn] = completed(args);
    const span = startSpan(name, given, active);
    return context.with(trace.setSpan(active, span), fn, undefined, span);
  }

  return { startSpan, startActiveSpan };
}

function parentIn(active: Context): SpanContext | undefined {
  const span = trace.getSpan(active);
  const parent = span?.spanContext();
  // Our own are valid; to look through the digits of the others takes longer than all else here.
  return parent !== undefined && (span instanceof RecordingSpan || isSpanContextValid(parent)) ? parent : undefined;
}

function completed<F>(args: [F] | [SpanOptions, F] | [SpanOptions, Context, F]): [SpanOptions, Context, F] {
  switch (args.length) {
    case 1:
      return [{}, context.active(), args[0]];
    case 2:
      return [args[0], context.active(), args[1]];
    case 3:
      return args;
  }
}
