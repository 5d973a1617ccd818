import type { Tracer } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { resourceFromAttributes } from '@opentelemetry/resources';

import { systemRandom } from '#kit';

import { createTracer, type TracerOptions } from '../../tracing/sdk/create-tracer.ts';
import { createIdSource } from '../../tracing/sdk/random-ids.ts';
import { createSpanClock } from '../../tracing/sdk/span-clock.ts';
import { DETAIL_LIMITS, SPAN_LIMITS } from '../../tracing/sdk/span-limits.ts';

/** A tracer, and the spans of it that have ended. */
export interface SpanRecorder {
  readonly tracer: Tracer;
  readonly ended: readonly ReadableSpan[];
}

const resource = resourceFromAttributes({ 'service.name': 'order', 'service.instance.id': 'order-1' });
const scope = { name: 'test' };

/** Our tracer; everything is sampled. */
export function recordSpans(options: Partial<TracerOptions> = {}): SpanRecorder {
  const ended: ReadableSpan[] = [];
  const ids = createIdSource(systemRandom);
  const onEnd = (span: ReadableSpan): void => void ended.push(span);
  return {
    tracer: createTracer({ resource, scope, ids, clock: createSpanClock(), isSampled: () => true, onEnd, ...options }),
    ended,
  };
}

/** The SDK's tracer with the same limits. */
export function recordSdkSpans({ ids = createIdSource(systemRandom) }: Partial<TracerOptions> = {}): SpanRecorder {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    resource,
    idGenerator: { generateSpanId: ids.spanId, generateTraceId: ids.traceId },
    spanLimits: {
      ...SPAN_LIMITS,
      attributePerEventCountLimit: DETAIL_LIMITS.attributeCountLimit,
      attributePerLinkCountLimit: DETAIL_LIMITS.attributeCountLimit,
    },
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  return {
    tracer: provider.getTracer(scope.name),
    get ended() {
      return exporter.getFinishedSpans();
    },
  };
}
